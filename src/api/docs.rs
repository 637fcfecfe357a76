//! The OpenAPI document, and pages that show it without internet.

use std::sync::OnceLock;

use axum::Router;
use axum::extract::State;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, Info, License, OpenApi, Ref, RefOr, ResponseBuilder,
    SecurityRequirement, Server,
};
use utoipa::{PartialSchema, ToSchema};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::actions::oncall::lookup::etag;
use crate::http::Api;
use crate::http::access::{Needs, needs};
use crate::http::problem::Problem;

/// Swagger UI, whose files are in the binary.
pub fn pages() -> Router<Api> {
    let config = Config::from("/api/v1/openapi.json").try_it_out_enabled(true);
    Router::from(SwaggerUi::new("/api/docs").config(config))
}

/// `GET /api/v1/openapi.json`.
pub async fn document(State(_): State<Api>) -> Response {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(super::openapi_json).as_str();
    let tag = etag(text.as_bytes());
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::ETAG, tag),
    ];
    (headers, text).into_response()
}

/// Adds what all operations have in common.
pub fn complete(mut document: OpenApi) -> OpenApi {
    document.info = Info::new("oncalld", env!("CARGO_PKG_VERSION"));
    document.info.description = Some(
        "Who is on call, and why. Dates are on-call days, both ends included; instants are \
         RFC 3339, UTC. Errors are RFC 9457 problems."
            .to_owned(),
    );
    document.info.license = Some(License::new("MIT OR Apache-2.0"));
    document.servers = Some(vec![Server::new("/api/v1")]);
    let components = document.components.get_or_insert_with(Components::new);
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    components.add_security_scheme("token", bearer);
    components
        .schemas
        .insert(Problem::name().into_owned(), Problem::schema());
    let mut nested = Vec::new();
    Problem::schemas(&mut nested);
    components.schemas.extend(nested);
    let problem = Ref::from_schema_name(Problem::name());
    let response = ResponseBuilder::new()
        .description("What went wrong")
        .content(
            "application/problem+json",
            ContentBuilder::new().schema(Some(problem)).build(),
        )
        .build();
    for (path, item) in &mut document.paths.paths {
        let route = format!("/api/v1{path}");
        let operations = [
            (Method::GET, &mut item.get),
            (Method::POST, &mut item.post),
            (Method::PUT, &mut item.put),
            (Method::PATCH, &mut item.patch),
            (Method::DELETE, &mut item.delete),
        ];
        for (method, operation) in operations {
            let Some(operation) = operation else { continue };
            let responses = &mut operation.responses.responses;
            responses.insert("default".to_owned(), RefOr::T(response.clone()));
            let any: [String; 0] = [];
            let token = SecurityRequirement::new("token", any);
            operation.security = Some(match needs(&method, &route) {
                Needs::Nothing => vec![],
                // Where `auth.anonymous_read` is on, no token is needed to read.
                Needs::Reading => vec![token, SecurityRequirement::default()],
                Needs::Role(_) => vec![token],
            });
        }
    }
    document
}
