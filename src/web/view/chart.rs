//! Charts: bars and lines as SVG that the server draws. Lengths are shares of the axis in percent,
//! so that nothing is distorted at any width; the numbers stand beside them as text.

use std::fmt::Write as _;

/// Points of a line at most; of more, evenly many are left out.
const POINTS: usize = 120;

/// A number with a decimal place: enough for a percentage of an axis.
fn coordinate(value: f64) -> String {
    format!("{value:.1}")
}

/// A bar, and a mark on its axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Length, in percent of the axis.
    pub length: String,
    /// Where the mark is, in percent of the axis.
    pub mark: String,
}

impl Bar {
    /// A bar of `value` with a mark at `mark`, on an axis from 0 to `most`.
    pub fn new(value: f64, mark: f64, most: f64) -> Self {
        let share = |value: f64| {
            if most > 0.0 {
                value / most * 100.0
            } else {
                0.0
            }
        };
        Self {
            length: coordinate(share(value).clamp(0.0, 100.0)),
            // The mark is half a percent wide and stays within the picture.
            mark: coordinate(share(mark).clamp(0.0, 99.2)),
        }
    }
}

/// A part of a stacked bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Class of its filling.
    pub kind: &'static str,
    /// What it is of, in words.
    pub label: String,
    /// Where it begins, in percent of the axis.
    pub start: String,
    /// Length, in percent of the axis.
    pub length: String,
}

/// A bar of parts one after the other, on an axis from 0 to `most`; empty parts are left out.
pub fn stack(parts: &[(&'static str, u32)], most: u32) -> Vec<Part> {
    let mut start = 0.0;
    let mut stack = Vec::new();
    for &(kind, count) in parts.iter().filter(|(_, count)| *count > 0) {
        let length = f64::from(count) / f64::from(most.max(1)) * 100.0;
        stack.push(Part {
            kind,
            label: format!("{count} {kind}"),
            start: coordinate(start),
            length: coordinate(length),
        });
        start += length;
    }
    stack
}

/// The points of a line in a picture of 100 by 100, from `-most` at its foot to `most` at its head:
/// for `points` of a `polyline`.
pub fn line(values: &[f64], most: f64) -> String {
    let step = values.len().div_ceil(POINTS).max(1);
    let mut points: Vec<_> = values.iter().copied().enumerate().step_by(step).collect();
    // The last value is what the line comes to.
    if let (Some(&last), Some(shown)) = (values.last(), points.last_mut()) {
        *shown = (values.len() - 1, last);
    }
    let width = as_number(values.len().saturating_sub(1).max(1));
    let mut text = String::new();
    for (at, value) in points {
        let x = as_number(at) / width * 100.0;
        let y = 50.0 - (value / most.max(f64::MIN_POSITIVE) * 50.0).clamp(-50.0, 50.0);
        let _ = write!(text, "{},{} ", coordinate(x), coordinate(y));
    }
    text.trim_end().to_owned()
}

fn as_number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stay_on_their_axis() {
        let bar = Bar::new(0.25, 0.5, 0.5);
        assert_eq!((bar.length.as_str(), bar.mark.as_str()), ("50.0", "99.2"));
        let nothing = Bar::new(0.0, 0.0, 0.0);
        assert_eq!(
            (nothing.length.as_str(), nothing.mark.as_str()),
            ("0.0", "0.0")
        );
    }

    #[test]
    fn the_parts_of_a_bar_follow_each_other() {
        let parts = stack(&[("rotation", 6), ("manual", 0), ("override", 2)], 8);
        let texts: Vec<_> = parts
            .iter()
            .map(|part| format!("{} {}+{}", part.label, part.start, part.length))
            .collect();
        assert_eq!(texts, ["6 rotation 0.0+75.0", "2 override 75.0+25.0"]);
        assert!(stack(&[("manual", 0)], 0).is_empty());
    }

    #[test]
    fn a_line_goes_from_the_first_value_to_the_last() {
        assert_eq!(
            line(&[0.0, 1.0, -1.0], 1.0),
            "0.0,50.0 50.0,0.0 100.0,100.0"
        );
        assert_eq!(line(&[], 1.0), "");
        assert_eq!(line(&[0.5], 1.0), "0.0,25.0");
        let long = line(&vec![0.0; 3661], 0.0);
        assert!(long.split(' ').count() <= POINTS);
        assert!(long.ends_with("100.0,50.0"), "{long}");
    }
}
