"""Every setting, from the environment, in one place.

The only way to configure Porchlight. A missing or wrong value is named at start-up with what to set.
It lives among the integrations because every room may import those, and most of it is how to reach them.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[2]


class SettingsError(RuntimeError):
    """The environment is missing something or has a value that cannot be used."""


class Settings(BaseSettings):
    """What the environment says. Names are those that operators know (DESIGN: what the outside relies on)."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", case_sensitive=False)

    # the door
    host: str = "127.0.0.1"
    port: int = Field(8080, ge=1, le=65535)
    public_url: str = Field("", description="The address that Twilio calls; its signatures cover it")
    # the processes behind it
    redis_url: str = "redis://127.0.0.1:6390/0"
    redis_external: bool = Field(False, description="A Redis of your own runs at REDIS_URL; start none")
    database_url: str = f"sqlite+aiosqlite:///{ROOT / '.run' / 'porchlight.db'}"
    rasa_urls: str = Field("http://127.0.0.1:5005", description="One a Rasa process, separated by commas")
    rasa_token: SecretStr = Field(SecretStr("local-only"), description="What the gateway shows to Rasa")
    actions_port: int = 5055
    run_dir: Path = ROOT / ".run"
    log_level: str = "INFO"
    log_json: bool = False
    # web chat
    webchat_origins: str = Field("", description="Sites that may embed the chat, separated by commas; ours always may")
    webchat_secret: SecretStr = Field(SecretStr("local-only"), description="Signs session cookies and sign-in tokens")
    # Twilio
    twilio_account_sid: str = ""
    twilio_auth_token: SecretStr = SecretStr("")
    twilio_phone_number: str = ""
    twilio_api_url: str = Field("", description="Empty: Twilio's own")
    # calls
    voice_transfer_number: str = Field("", description="Who takes calls that want a person; empty: data/utility.yml")
    voice_most_calls: int = Field(100, ge=0, description="Calls in conversation at once; more get the keypad menu")
    voice_longest_call_minutes: float = Field(30.0, gt=0)
    voice_jurisdiction: str = Field("", description="Of data/voice/disclosures.yml; empty: the strictest notice")
    voice_languages: str = Field("en", description="That speech has voices for, separated by commas: en, es")
    # speech
    speech_url: str = Field("", description="Where the speech process is; empty: ws://127.0.0.1:SPEECH_PORT")
    speech_host: str = Field("127.0.0.1", description="Where the speech process listens; never a public address")
    speech_port: int = Field(5060, ge=1, le=65535)
    speech_token: SecretStr = Field(SecretStr("local-only"), description="What the gateway shows to the speech process")
    speech_most_calls: int = Field(8, ge=0, description="Calls that the speech process serves at once")
    speech_workers: int = Field(2, ge=1, description="Threads that recognise and speak; one a core")
    speech_stt_model: str = Field("whisper-base", description="In models/speech/manifest.yml, or a folder")
    speech_stt_device: str = Field("cpu", pattern="^(cpu|cuda)$")
    speech_stt_compute: str = Field("int8", description="CTranslate2's: int8, int8_float16, float16, float32")
    speech_stt_beam: int = Field(5, ge=1, le=10)
    speech_voice_engine: str = Field("piper", pattern="^(piper|hibari)$")
    speech_voice: str = Field("", description="English: in the manifest, or a Piper .onnx file; empty: the engine's")
    speech_voice_es: str = Field("", description="Spanish: a Piper .onnx file; empty: no Spanish is spoken")
    # the utility's systems; empty: the sandbox's
    oms_wsdl_url: str = ""
    oms_user: str = ""
    oms_password: SecretStr = SecretStr("")
    oms_company: str = "Porchlight"
    oms_poll_seconds: float = Field(30.0, gt=0)
    oms_budget_seconds: float = Field(1.5, gt=0, description="How long one turn may wait for the OMS")
    oms_push_secret: SecretStr = Field(SecretStr(""), description="Last path segment of our MultiSpeak push address")
    gis_outage_layer_url: str = ""
    cis_url: str = ""
    cis_token: SecretStr = SecretStr("")
    # the simulated utility
    sandbox: bool | None = Field(None, description="Unset: on while no OMS is configured")
    sandbox_port: int = 8090
    sandbox_seed: int = 20240927
    sandbox_service_points: int = Field(50_000, ge=100)
    # knobs
    turn_timeout_seconds: float = Field(20.0, gt=0)
    session_minutes: float = Field(60.0, gt=0, description="Silence after which a text or web conversation ends")

    @field_validator("public_url", "twilio_api_url", "cis_url", "gis_outage_layer_url")
    @classmethod
    def _no_trailing_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @property
    def sandbox_on(self) -> bool:
        """Whether the simulated utility takes the place of systems that are not configured."""
        return self.sandbox if self.sandbox is not None else not self.oms_wsdl_url

    @property
    def sandbox_url(self) -> str:
        """Where the simulated utility listens."""
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def speech_address(self) -> str:
        """Where the gateway finds the speech process."""
        return self.speech_url or f"ws://127.0.0.1:{self.speech_port}"

    @property
    def rasa_url_list(self) -> list[str]:
        """One address a Rasa process."""
        return [part.strip().rstrip("/") for part in self.rasa_urls.split(",") if part.strip()]


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Read the environment once.

    Raises:
        SettingsError: naming each variable that is missing or wrong, and why.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        lines = [f"{'_'.join(str(part) for part in item['loc']).upper()}: {item['msg']}" for item in error.errors()]
        raise SettingsError("Cannot start; set these in the environment:\n  " + "\n  ".join(lines)) from None
    settings.sandbox = settings.sandbox_on  # decided now; below it takes the OMS's place
    if settings.sandbox:
        base = settings.sandbox_url
        settings.oms_wsdl_url = settings.oms_wsdl_url or f"{base}/multispeak/oms?wsdl"
        settings.oms_user = settings.oms_user or "porchlight"
        settings.gis_outage_layer_url = (
            settings.gis_outage_layer_url or f"{base}/arcgis/rest/services/outages/FeatureServer/1"
        )
        settings.cis_url = settings.cis_url or f"{base}/cis"
        settings.twilio_api_url = settings.twilio_api_url or f"{base}/twilio"
        settings.twilio_account_sid = settings.twilio_account_sid or "AC" + "0" * 32
        settings.twilio_phone_number = settings.twilio_phone_number or "+15555550100"
        settings.public_url = settings.public_url or f"http://localhost:{settings.port}"
        if not settings.twilio_auth_token.get_secret_value():
            settings.twilio_auth_token = SecretStr("sandbox-auth-token")
        if not settings.oms_push_secret.get_secret_value():
            settings.oms_push_secret = SecretStr("sandbox-push")
    return settings
