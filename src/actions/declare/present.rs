//! What is there, as a declaration would have it, and its versions.

use std::collections::BTreeMap;

use crate::app::Result;
use crate::domain::ids::TeamId;
use crate::domain::member::Membership;
use crate::domain::service::Service;
use crate::domain::team::Team;
use crate::store::services::ServiceFilter;
use crate::store::{self, Reader};
use crate::wire::declaration::{
    Declaration, DeclaredMember, DeclaredRotation, DeclaredService, DeclaredTeam, Weekday,
};

/// The active teams and services, with the teams' members.
pub(super) struct Present {
    /// As a declaration has them.
    pub declaration: Declaration,
    /// Their versions, by path.
    pub versions: BTreeMap<String, u64>,
}

impl Present {
    /// What is there now.
    pub(super) fn read(tx: &impl Reader) -> Result<Self> {
        let mut present = Self {
            declaration: Declaration::default(),
            versions: BTreeMap::new(),
        };
        let mut slugs: BTreeMap<TeamId, String> = BTreeMap::new();
        for team in store::teams::list(tx)? {
            if team.is_active {
                let members = store::teams::list_members(tx, team.id)?;
                present.add_team(&team, &members);
            }
            slugs.insert(team.id, team.slug);
        }
        let active = ServiceFilter {
            is_active: Some(true),
            ..ServiceFilter::default()
        };
        let (_, services) = store::services::page(tx, &active, 0, usize::MAX)?;
        for service in &services {
            let slug = slugs.get(&service.team_id).cloned().unwrap_or_default();
            present.add_service(service, slug);
        }
        Ok(present)
    }

    fn add_team(&mut self, team: &Team, rows: &[Membership]) {
        let path = team_path(&team.slug);
        for row in rows {
            let path = member_path(&team.slug, row.user.as_str());
            self.versions.insert(path, row.revision.version);
        }
        self.versions.insert(path, team.revision.version);
        let members = rows.iter().map(|row| (row.user.to_string(), member(row)));
        let declared = DeclaredTeam {
            members: Some(members.collect()),
            ..declared(team)
        };
        self.declaration.teams.insert(team.slug.clone(), declared);
    }

    fn add_service(&mut self, service: &Service, team: String) {
        let path = service_path(&service.name);
        self.versions.insert(path, service.revision.version);
        let declared = DeclaredService {
            team,
            tier: service.tier,
            environment: service.environment.clone(),
            repository_url: service.repository_url.clone(),
            owner: service.owner.as_ref().map(ToString::to_string),
            tech_stack: service.tech_stack.clone(),
            metadata: service.metadata.0.as_object().cloned().unwrap_or_default(),
        };
        let services = &mut self.declaration.services;
        services.insert(service.name.clone(), declared);
    }
}

/// A team without its members.
fn declared(team: &Team) -> DeclaredTeam {
    let rotation = &team.rotation;
    let config = rotation.plugin_config.0.as_object();
    let day = rotation.handoff_day.map(usize::from);
    DeclaredTeam {
        name: team.name.clone(),
        description: team.description.clone(),
        timezone: team.timezone.clone(),
        slack_group_id: team.slack_group_id.clone(),
        slack_oncall_group_id: team.slack_oncall_group_id.clone(),
        slack_channel_id: team.slack_channel_id.clone(),
        overrides_require_approval: team.overrides_require_approval,
        rotation: Some(DeclaredRotation {
            enabled: rotation.enabled,
            kind: rotation.kind.to_string(),
            interval: rotation.interval,
            start_date: rotation.start_date,
            order: rotation.order.iter().map(ToString::to_string).collect(),
            handoff_day: day.and_then(|day| Weekday::ALL.get(day).copied()),
            handoff_time: rotation.handoff_time.to_string(),
            plugin_config: config.cloned().unwrap_or_default(),
        }),
        members: None,
    }
}

fn member(row: &Membership) -> DeclaredMember {
    DeclaredMember {
        role: row.role,
        eligible: row.is_eligible,
        weight: row.weight,
        joined_at: Some(row.joined_at),
    }
}

/// Where a declaration has a team.
pub(super) fn team_path(slug: &str) -> String {
    format!("teams.{slug}")
}

/// Where a declaration has a member.
pub(super) fn member_path(slug: &str, user: &str) -> String {
    format!("teams.{slug}.members.{user}")
}

/// Where a declaration has a service.
pub(super) fn service_path(name: &str) -> String {
    format!("services.{name}")
}
