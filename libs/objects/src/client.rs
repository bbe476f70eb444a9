//! Clients of providers. Who they are for is in the environment, under the names that their providers give.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use crate::url::{BucketUrl, Provider};

/// A store that says nothing for so long has lost the request.
const SILENCE: Duration = Duration::from_secs(30);

/// An object has 48 MiB at most: over a line of 1.5 Mbit/s it takes this long.
const ANSWER: Duration = Duration::from_mins(5);

/// How often a request that failed is sent again.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Retries {
    /// Some times, within a minute.
    Some,
    /// Never: who asks has to know that it failed.
    None,
}

/// Variables of the environment.
pub(crate) type Variables<'a> = &'a [(String, String)];

/// A client of the bucket's provider.
pub(crate) fn client(
    url: &BucketUrl,
    variables: Variables<'_>,
    retries: Retries,
) -> Result<Arc<dyn ObjectStore>, String> {
    let made = match url.provider {
        Provider::Amazon => amazon(url, variables, retries),
        Provider::Azure => azure(url, variables, retries),
        Provider::Google => google(url, variables, retries),
    };
    made.map_err(|error| format!("'{url}': {error}"))
}

/// The settings that variables with this beginning are.
fn settings<K: FromStr>(variables: Variables<'_>, beginning: &str) -> Vec<(K, String)> {
    let own = variables
        .iter()
        .filter(|(name, _)| name.starts_with(beginning));
    let known = own.filter_map(|(name, value)| {
        let key = name.to_ascii_lowercase().parse().ok()?;
        Some((key, value.clone()))
    });
    known.collect()
}

fn amazon(
    url: &BucketUrl,
    variables: Variables<'_>,
    retries: Retries,
) -> object_store::Result<Arc<dyn ObjectStore>> {
    let mut builder = AmazonS3Builder::new().with_bucket_name(&url.bucket);
    for (key, value) in settings(variables, "AWS_") {
        builder = builder.with_config(key, value);
    }
    if let Some(region) = &url.region {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = &url.endpoint {
        // The environment's for S3 alone would have precedence.
        builder = builder
            .with_config(AmazonS3ConfigKey::S3Endpoint, endpoint)
            .with_endpoint(endpoint);
    }
    let is_plain = url.is_plain() || is_true(builder.get_config_value(&ALLOW_HTTP_S3));
    let builder = builder
        .with_client_options(options(is_plain))
        .with_retry(retry(retries));
    Ok(Arc::new(builder.build()?))
}

const ALLOW_HTTP_S3: AmazonS3ConfigKey =
    AmazonS3ConfigKey::Client(object_store::ClientConfigKey::AllowHttp);
const ALLOW_HTTP_AZURE: AzureConfigKey =
    AzureConfigKey::Client(object_store::ClientConfigKey::AllowHttp);

fn azure(
    url: &BucketUrl,
    variables: Variables<'_>,
    retries: Retries,
) -> object_store::Result<Arc<dyn ObjectStore>> {
    let mut builder = MicrosoftAzureBuilder::new().with_container_name(&url.bucket);
    for (key, value) in settings(variables, "AZURE_") {
        builder = builder.with_config(key, value);
    }
    // Where App Service and its kin give out identities.
    let identity = variables
        .iter()
        .find(|(name, _)| name == "IDENTITY_ENDPOINT");
    if let Some((_, endpoint)) = identity {
        builder = builder.with_msi_endpoint(endpoint.clone());
    }
    if let Some(endpoint) = &url.endpoint {
        builder = builder.with_endpoint(endpoint.clone());
    }
    let is_plain = url.is_plain() || is_true(builder.get_config_value(&ALLOW_HTTP_AZURE));
    let builder = builder
        .with_client_options(options(is_plain))
        .with_retry(retry(retries));
    Ok(Arc::new(builder.build()?))
}

fn google(
    url: &BucketUrl,
    variables: Variables<'_>,
    retries: Retries,
) -> object_store::Result<Arc<dyn ObjectStore>> {
    let mut builder = GoogleCloudStorageBuilder::new().with_bucket_name(&url.bucket);
    // The one variable that does not begin as the others.
    let account = variables.iter().find(|(name, _)| name == "SERVICE_ACCOUNT");
    if let Some((_, path)) = account {
        builder = builder.with_service_account_path(path.clone());
    }
    for (key, value) in settings(variables, "GOOGLE_") {
        builder = builder.with_config(key, value);
    }
    if let Some(endpoint) = &url.endpoint {
        builder = builder.with_base_url(endpoint);
    }
    let builder = builder
        .with_client_options(options(url.is_plain()))
        .with_retry(retry(retries));
    Ok(Arc::new(builder.build()?))
}

fn is_true(value: Option<String>) -> bool {
    value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

fn options(is_plain: bool) -> ClientOptions {
    ClientOptions::new()
        .with_allow_http(is_plain)
        .with_connect_timeout(Duration::from_secs(10))
        .with_read_timeout(SILENCE)
        .with_timeout(ANSWER)
}

fn retry(retries: Retries) -> RetryConfig {
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(10),
        base: 2.0,
    };
    RetryConfig {
        backoff,
        max_retries: match retries {
            Retries::Some => 6,
            Retries::None => 0,
        },
        retry_timeout: Duration::from_mins(1),
    }
}
