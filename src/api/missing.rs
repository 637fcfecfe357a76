//! Paths that nothing serves: what was meant, and where to begin.

use std::sync::LazyLock;

use axum::http::{StatusCode, Uri};

use super::v1_router;
use crate::domain::suggest::nearest;
use crate::http::problem::Problem;

/// The paths of the API, with their parameters in braces.
static PATHS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let (_, document) = v1_router().split_for_parts();
    let paths = document.paths.paths.into_keys();
    paths.map(|path| format!("/api/v1{path}")).collect()
});

/// The answer to a path that nothing serves.
pub async fn no_such_path(uri: Uri) -> Problem {
    let path = uri.path();
    let detail = match nearest_path(path) {
        Some(meant) => format!("nothing is served at `{path}`; did you mean `{meant}`?"),
        None => format!("nothing is served at `{path}`; /api/docs/ lists every path"),
    };
    Problem::new(StatusCode::NOT_FOUND, detail)
}

/// The path of the API that is nearest, with what was given for its parameters.
fn nearest_path(path: &str) -> Option<String> {
    let path = path.trim_end_matches('/');
    let with_version = if path.starts_with("/api/") {
        path.to_owned()
    } else {
        format!("/api/v1{path}")
    };
    let given: Vec<_> = with_version.split('/').collect();
    let filled = |template: &String| {
        let parts: Vec<_> = template.split('/').collect();
        let part = |(part, given): (&&str, &&str)| {
            let is_parameter = part.starts_with('{');
            if is_parameter {
                (*given).to_owned()
            } else {
                (*part).to_owned()
            }
        };
        let filled = || parts.iter().zip(&given).map(part).collect::<Vec<_>>();
        (parts.len() == given.len()).then(|| filled().join("/"))
    };
    let candidates: Vec<_> = PATHS.iter().filter_map(filled).collect();
    let found = nearest(&with_version, candidates.iter().map(String::as_str))?;
    // A query may be wanted; a path that is right but for its method is none of these.
    Some(found.to_owned())
}

#[cfg(test)]
mod tests {
    use super::nearest_path;

    #[test]
    fn a_mistyped_path_has_a_neighbour() {
        let near = |path| nearest_path(path).unwrap_or_default();
        assert_eq!(near("/api/v1/team"), "/api/v1/teams");
        assert_eq!(
            near("/api/v1/teams/core/member"),
            "/api/v1/teams/core/members"
        );
        assert_eq!(
            near("/api/v1/teams/core/on-call"),
            "/api/v1/teams/core/oncall"
        );
        assert_eq!(near("/oncall"), "/api/v1/oncall");
        assert_eq!(
            near("/api/v1/teams/core/members/"),
            "/api/v1/teams/core/members"
        );
        assert_eq!(near("/favicon.ico"), "");
        assert_eq!(near("/"), "");
    }
}
