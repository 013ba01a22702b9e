"""Each secret of the settings, with what else has to be set for it to be used."""

import base64

from pop_stream.settings import SETTINGS, Setting

CANARY = "canary-4f1d"
SECRETS = [setting for setting in SETTINGS.values() if setting.secret]
SIGNING = "whsec_" + base64.b64encode(CANARY.encode() * 3).decode()
OAUTH = {
    "gstv_auth": "oauth2",
    "gstv_oauth_url": "https://login.example/token",
    "gstv_oauth_client_id": "worker",
}
BY_TOKEN = {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_mechanism": "OAUTHBEARER"}
#: What else has to be set beside each secret.
BESIDE = {
    "kafka_sasl_password": {
        "kafka_security_protocol": "SASL_SSL",
        "kafka_sasl_username": "worker",
    },
    "kafka_oauth_client_secret": {
        **BY_TOKEN,
        "kafka_oauth_url": "https://login.example/token",
        "kafka_oauth_client_id": "worker",
    },
    "kafka_oauth_token": BY_TOKEN,
    "gstv_auth_token": {"gstv_auth": "bearer"},
    "gstv_auth_password": {"gstv_auth": "basic", "gstv_auth_username": "worker"},
    "gstv_oauth_client_secret": OAUTH,
    "gstv_signing_secrets": {},
    "gstv_proxy_password": {
        "gstv_proxy": "http://proxy.example:3128",
        "gstv_proxy_username": "worker",
    },
}


def secret_of(setting: Setting) -> str:
    """Give a good value."""
    return SIGNING if setting.name == "gstv_signing_secrets" else CANARY


def environ_with(setting: Setting) -> dict[str, str]:
    """What a secret needs, and the secret itself in a variable."""
    beside = {SETTINGS[name].variable: value for name, value in BESIDE[setting.name].items()}
    return {**beside, setting.variable: secret_of(setting)}
