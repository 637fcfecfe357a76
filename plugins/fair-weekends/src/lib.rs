//! A rotation strategy in which weekends and holidays count more, and which shares them out
//! evenly whatever the pattern of the shifts.

mod calendar;
mod config;
mod strategy;
mod tally;

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod strategy_tests;

mod bindings {
    #![expect(unsafe_code, clippy::same_length_and_capacity, reason = "generated")]
    wit_bindgen::generate!({ path: "../wit/0.1.0", world: "rotation-strategy" });
    use super::FairWeekends;
    pub use oncalld::plugin::rotation;
    export!(FairWeekends with_types_in self);
}

struct FairWeekends;

impl bindings::Guest for FairWeekends {
    fn pick(ctx: bindings::Context) -> Result<bindings::Pick, String> {
        let config = config::Config::parse(&ctx.config)?;
        strategy::pick(&ctx, &config)
    }
}
