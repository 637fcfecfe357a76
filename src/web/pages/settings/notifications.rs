//! Notifications: where each stands; trying again what failed; whether a sink works.

use super::{Tab, refused};
use crate::actions::messages::notifications;
use crate::domain::notification::DeliveryStatus;
use crate::web::pages::prelude::*;
use crate::wire::notification::{NewTest, NotificationFilter, NotificationView};

const PATH: &str = "/settings/notifications";
/// Notifications on a page.
const NOTIFICATIONS: usize = 50;

/// Which notifications to list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    status: String,
    page: Option<String>,
}

#[derive(Template)]
#[template(path = "notifications.html")]
struct Notifications {
    layout: Layout,
    tab: Tab,
    lines: Vec<Line>,
    /// The status that was asked for, if any.
    status: &'static str,
    statuses: Vec<&'static str>,
    /// Names of the sinks, with what to call each.
    sinks: Vec<(String, String)>,
    form: FormState,
    pager: Pager,
}

/// A notification as the table shows it.
struct Line {
    row: NotificationView,
    event: String,
    /// The recipient, where it is a person.
    person: Option<Person>,
    made: When,
    /// When a pending one is due.
    due: Option<When>,
}

impl Line {
    fn new(row: NotificationView, people: &People, visitor: &Visitor) -> Self {
        let is_person = row.recipient.starts_with(['U', 'W']);
        let is_due = row.status == DeliveryStatus::Pending && row.attempts > 0;
        Self {
            event: row.event.as_str().replace('_', " "),
            person: is_person.then(|| people.get(&row.recipient)),
            made: When::utc(row.created_at, visitor.now),
            due: is_due.then(|| When::utc(row.next_attempt_at, visitor.now)),
            row,
        }
    }
}

/// `GET /settings/notifications`
pub async fn list(State(api): State<Api>, visitor: Visitor, Query(filter): Query<Filter>) -> Shown {
    show_list(&api, &visitor, &filter, FormState::default()).await
}

async fn show_list(api: &Api, visitor: &Visitor, asked: &Filter, form: FormState) -> Shown {
    let ctx = visitor.ctx.clone();
    let status = asked.status.parse::<DeliveryStatus>().ok();
    let filter = NotificationFilter {
        status: status.map(|status| status.to_string()),
    };
    let paging = paging(asked.page.as_deref(), NOTIFICATIONS);
    let (list, people) = api
        .run(move |app| {
            let list = notifications::list(app, &ctx, &filter, &paging)?;
            let recipients = list.items.iter().map(|row| row.recipient.as_str());
            let people = People::load(app, recipients)?;
            Ok((list, people))
        })
        .await?;
    let sinks = api.app().settings().sinks.iter();
    let page = Notifications {
        layout: visitor.layout("Notifications", Nav::Settings).live(),
        tab: Tab::Notifications,
        pager: Pager::new(&list, PATH, &[("status", asked.status.as_str())]),
        lines: list
            .items
            .into_iter()
            .map(|row| Line::new(row, &people, visitor))
            .collect(),
        status: status.map_or("", DeliveryStatus::as_str),
        statuses: DeliveryStatus::ALL.iter().map(|it| it.as_str()).collect(),
        sinks: sinks
            .map(|route| (route.sink.clone(), route.sink.clone()))
            .collect(),
        form,
    };
    visitor.page_with(page.form.status(), &page)
}

/// `POST /settings/notifications/{id}/retry`
pub async fn retry(State(api): State<Api>, visitor: Visitor, Path(id): Path<String>) -> Shown {
    let ctx = visitor.ctx.clone();
    match api
        .run(move |app| notifications::retry(app, &ctx, &id))
        .await
    {
        Ok(row) => {
            let text = format!("The message to {} is sent again.", row.recipient);
            Ok(redirect_saying(PATH, &text))
        }
        Err(problem) => refused(PATH, problem),
    }
}

/// `POST /settings/notifications/test`
pub async fn test(State(api): State<Api>, visitor: Visitor, form: Form) -> Shown {
    let ctx = visitor.ctx.clone();
    let input = NewTest {
        sink: form.filled("sink"),
        recipient: form.text("recipient").to_owned(),
    };
    match api
        .run(move |app| notifications::test(app, &ctx, &input))
        .await
    {
        Ok(row) => {
            let text = format!(
                "A test is on its way through {}; its line here tells what becomes of it.",
                row.sink
            );
            Ok(redirect_saying(PATH, &text))
        }
        Err(problem) => {
            let sent = FormState::to_correct(&form, problem)?;
            show_list(&api, &visitor, &Filter::default(), sent).await
        }
    }
}
