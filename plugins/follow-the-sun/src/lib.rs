//! A rotation strategy in which regions take turns, and in a region whoever was on call longest
//! ago.

mod strategy;

mod bindings {
    #![expect(unsafe_code, clippy::same_length_and_capacity, reason = "generated")]
    wit_bindgen::generate!({ path: "../wit/0.1.0", world: "rotation-strategy" });
    use super::FollowTheSun;
    pub use oncalld::plugin::rotation;
    export!(FollowTheSun with_types_in self);
}

struct FollowTheSun;

impl bindings::Guest for FollowTheSun {
    fn pick(ctx: bindings::Context) -> Result<bindings::Pick, String> {
        let config = strategy::Config::parse(&ctx.config)?;
        strategy::pick(&ctx, &config)
    }
}
