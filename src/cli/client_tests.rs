use super::super::connection::Token;
use super::*;

fn url(base: &str, path: &[&str], query: Query) -> Result<String, CliError> {
    let connection = Connection {
        url: Url::parse(base).unwrap(),
        token: Token::Missing(String::new()),
        is_by_config: false,
    };
    let client = Client::new(connection).unwrap();
    client.url(&Request { path, query }).map(String::from)
}

#[test]
fn names_are_encoded_in_paths_and_queries() {
    let query = Query::default().set("at", Some("2026-11-30T09:00:00+01:00"));
    assert_eq!(
        url("http://h:1", &["services", "a/b c?#%ü"], query).unwrap(),
        "http://h:1/api/v1/services/a%2Fb%20c%3F%23%25%C3%BC?at=2026-11-30T09%3A00%3A00%2B01%3A00"
    );
}

#[test]
fn a_base_path_stays() {
    for base in ["https://h/base", "https://h/base/"] {
        let url = url(base, &["teams"], Query::default()).unwrap();
        assert_eq!(url, "https://h/base/api/v1/teams");
    }
}

#[test]
fn no_name_leads_to_another_path() {
    for name in ["", ".", ".."] {
        assert!(url("http://h", &["teams", name], Query::default()).is_err());
    }
}
