//! What was sent and what was not, by sink.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::actions::messages::deliveries::Outcome;
use crate::domain::notification::Notification;

/// A sink's name in a metric.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    sink: String,
}

/// Counters of the dispatcher. Cheap to clone; all clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    sent: Family<Labels, Counter>,
    retried: Family<Labels, Counter>,
    failed: Family<Labels, Counter>,
    dropped: Family<Labels, Counter>,
}

impl Counters {
    /// Adds them to a registry.
    pub fn register(&self, registry: &mut Registry) {
        for (name, help, family) in [
            ("sent", "Notifications delivered", &self.sent),
            ("retried", "Deliveries to be tried again", &self.retried),
            ("failed", "Notifications parked as failed", &self.failed),
            ("dropped", "Notifications not sent: stale", &self.dropped),
        ] {
            registry.register(format!("notifications_{name}"), help, family.clone());
        }
    }

    /// Counts what became of a notification.
    pub(crate) fn count(&self, row: &Notification, outcome: &Outcome) {
        let family = match outcome {
            Outcome::Delivered(_) => &self.sent,
            Outcome::Again { .. } => &self.retried,
            Outcome::Failed(_) => &self.failed,
            Outcome::Dropped(_) => &self.dropped,
        };
        let sink = row.sink.clone();
        family.get_or_create(&Labels { sink }).inc();
    }
}
