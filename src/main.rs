//! The `oncalld` program.

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    oncalld::daemon::serve(oncalld::daemon::ServeOptions::default()).await
}
