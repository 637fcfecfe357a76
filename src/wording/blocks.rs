//! Block Kit within its limits.

use serde_json::{Value, json};

/// The longest text of a section, in UTF-16 units.
const MAX_SECTION: usize = 3000;
/// The most blocks of a message.
const MAX_BLOCKS: usize = 50;
/// The longest text of a button, in UTF-16 units.
const MAX_BUTTON: usize = 75;

/// A button; what it is called, and what comes back when somebody clicks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// What it says.
    pub label: String,
    /// What it does.
    pub action_id: &'static str,
    /// What it does it to; at most 2000 characters.
    pub value: String,
    /// How it looks.
    pub style: Style,
}

/// How a button looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Plain.
    Plain,
    /// Green.
    Primary,
    /// Red.
    Danger,
}

impl Button {
    fn to_json(&self) -> Value {
        let text = cut(&self.label, MAX_BUTTON);
        let mut button = json!({
            "type": "button",
            "text": {"type": "plain_text", "text": text},
            "action_id": self.action_id,
            "value": self.value,
        });
        match self.style {
            Style::Plain => {}
            Style::Primary => button["style"] = "primary".into(),
            Style::Danger => button["style"] = "danger".into(),
        }
        button
    }
}

/// A message's blocks as they are put together. What is too much is left out, and said to be.
#[derive(Debug, Default)]
pub struct Blocks {
    done: Vec<Value>,
    /// Paragraphs of the section that isn't done yet.
    section: String,
    left_out: usize,
}

impl Blocks {
    /// Adds a paragraph of markup, cut to 3000 characters.
    pub fn paragraph(&mut self, markup: &str) {
        let paragraph = cut(markup, MAX_SECTION);
        let together = length(&self.section) + 2 + length(&paragraph);
        if !self.section.is_empty() && together > MAX_SECTION {
            self.close_section();
        }
        // Room for this section, buttons, and the line that says what was left out.
        if self.done.len() + 3 > MAX_BLOCKS {
            self.left_out += 1;
            return;
        }
        if !self.section.is_empty() {
            self.section.push_str("\n\n");
        }
        self.section.push_str(&paragraph);
    }

    /// Adds a row of buttons below the last paragraph.
    pub fn buttons(&mut self, buttons: &[Button]) {
        if buttons.is_empty() || self.left_out > 0 {
            return;
        }
        self.close_section();
        let elements: Vec<_> = buttons.iter().map(Button::to_json).collect();
        self.done
            .push(json!({"type": "actions", "elements": elements}));
    }

    fn close_section(&mut self) {
        let text = std::mem::take(&mut self.section);
        if !text.is_empty() {
            let text = json!({"type": "mrkdwn", "text": text});
            self.done.push(json!({"type": "section", "text": text}));
        }
    }

    /// The list of blocks.
    pub fn into_json(mut self) -> Value {
        self.close_section();
        if self.left_out > 0 {
            self.section = format!("… and {} more", self.left_out);
            self.close_section();
        }
        self.done.into()
    }
}

fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// At most `max` UTF-16 units of a text, the last of them `…` where something was cut off.
pub fn cut(text: &str, max: usize) -> String {
    if length(text) <= max {
        return text.to_owned();
    }
    let mut units = 1;
    let fits = |c: &char| {
        units += c.len_utf16();
        units <= max
    };
    let mut short: String = text.chars().take_while(fits).collect();
    short.push('…');
    short
}
