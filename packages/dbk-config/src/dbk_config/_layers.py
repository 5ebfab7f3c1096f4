"""The settings that a process is given: arguments and environment variables. Pure, as all readers of layers are."""

from __future__ import annotations

from collections.abc import Mapping

from dbk_config._former import FORMER_ENV
from dbk_config._found import Found, Values
from dbk_config._origin import Origin
from dbk_config._settings import SETTINGS
from dbk_config._unknown import unknown

__all__ = ["from_arguments", "from_environment", "sdk_skips_profiles"]

# A variable of one of these names means to the SDK that it need not look into the configuration file for credentials
# (databricks/sdk/config.py: every attribute with an `auth`).
_SDK_AUTH = (
    "ARM_CLIENT_ID",
    "ARM_CLIENT_SECRET",
    "ARM_TENANT_ID",
    "ARM_USE_MSI",
    "DATABRICKS_AZURE_RESOURCE_ID",
    "DATABRICKS_CLIENT_ID",
    "DATABRICKS_CLIENT_SECRET",
    "DATABRICKS_GOOGLE_SERVICE_ACCOUNT",
    "DATABRICKS_METADATA_SERVICE_URL",
    "DATABRICKS_OIDC_TOKEN_ENV",
    "DATABRICKS_OIDC_TOKEN_FILE",
    "DATABRICKS_OIDC_TOKEN_FILEPATH",
    "DATABRICKS_PASSWORD",
    "DATABRICKS_TOKEN",
    "DATABRICKS_USERNAME",
    "GOOGLE_CREDENTIALS",
)


def from_arguments(arguments: Mapping[str, object]) -> Values:
    """Setting name -> value, typed or as text; None means "not given"."""
    values = Values()
    for name, value in arguments.items():
        if name not in SETTINGS:
            values.problems.append(unknown(f"There is no setting {name!r}", name, SETTINGS))
        elif value is not None:
            as_text = isinstance(value, str) and SETTINGS[name].kind not in ("text", "secret", "path")
            values.found[name] = Found(value, Origin("argument", key=name), as_text)
    return values


def from_environment(env: Mapping[str, str]) -> Values:
    """The variables that name settings; an empty one counts as not set, as it does for the SDK."""
    values = Values()
    variables = {setting.env: name for name, setting in SETTINGS.items()}
    for variable, name in {**variables, **FORMER_ENV}.items():
        if env.get(variable, "").strip():
            values.found.setdefault(name, Found(env[variable], Origin("environment", key=variable), is_text=True))
    return values


def sdk_skips_profiles(env: Mapping[str, str], arguments: Mapping[str, object]) -> str:
    """What makes the SDK leave the configuration file alone while no profile is named, or ""."""
    for name in ("host", "token"):
        if arguments.get(name):
            return f"the argument {name}"
    return next((name for name in ("DATABRICKS_HOST", *_SDK_AUTH) if env.get(name, "").strip()), "")
