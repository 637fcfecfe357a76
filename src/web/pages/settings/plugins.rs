//! Plugins: what each is, who uses it and how it fares; reading the folder again.

use super::Tab;
use crate::actions::admin::plugins;
use crate::web::pages::prelude::*;
use crate::wire::Paging;
use crate::wire::plugin::{PluginStatus, PluginView};

const PATH: &str = "/settings/plugins";

/// All of them: there are as many as somebody has put into the folder.
const EVERYTHING: Paging = Paging {
    page: None,
    page_size: Some(usize::MAX),
};

#[derive(Template)]
#[template(path = "plugins.html")]
struct Plugins {
    layout: Layout,
    tab: Tab,
    lines: Vec<Line>,
}

/// A plugin as the page shows it.
struct Line {
    plugin: PluginView,
    loaded: Option<When>,
    /// What a call takes on average, in milliseconds.
    average: String,
}

impl Line {
    fn new(plugin: PluginView, visitor: &Visitor) -> Self {
        let loaded = plugin.loaded.as_ref();
        let average = loaded.and_then(|it| {
            let tenths = it.microseconds.checked_div(it.calls)? / 100;
            Some(format!("{}.{} ms", tenths / 10, tenths % 10))
        });
        Self {
            loaded: loaded.map(|it| When::utc(it.loaded_at, visitor.now)),
            average: average.unwrap_or_default(),
            plugin,
        }
    }
}

/// `GET /settings/plugins`
pub async fn list(State(api): State<Api>, visitor: Visitor) -> Shown {
    let ctx = visitor.ctx.clone();
    let list = api.run(move |app| plugins::list(app, &ctx, &EVERYTHING));
    let plugins = list.await?.items;
    let page = Plugins {
        layout: visitor.layout("Plugins", Nav::Settings).live(),
        tab: Tab::Plugins,
        lines: plugins
            .into_iter()
            .map(|plugin| Line::new(plugin, &visitor))
            .collect(),
    };
    visitor.page(&page)
}

/// `POST /settings/plugins/reload`
pub async fn reload(State(api): State<Api>, visitor: Visitor) -> Shown {
    let ctx = visitor.ctx.clone();
    let list = api.run(move |app| plugins::reload(app, &ctx, &EVERYTHING));
    let plugins = list.await?.items;
    let problems = plugins.iter().filter(|it| it.problem.is_some()).count();
    let text = match (plugins.len(), problems) {
        (0, _) => "The folder was read: there are no plugins.".to_owned(),
        (1, 0) => "The folder was read: one plugin, without problems.".to_owned(),
        (count, 0) => format!("The folder was read: {count} plugins, without problems."),
        (count, problems) => {
            let text = format!("The folder was read: {problems} of {count} plugins can't be used.");
            return Ok(redirect_refusing(PATH, &text));
        }
    };
    Ok(redirect_saying(PATH, &text))
}
