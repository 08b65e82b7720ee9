"""The compose file and the Dockerfiles, held against the settings and the sources.

No engine runs here. What is said of an image is checked on the files that it would hold, copied
as its Dockerfile says.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from server.config import inherited_environment, load_settings, setting_names
from trainer.__main__ import _parser as trainer_parser
from trainer.config import WorkerSettings

ROOT = Path(__file__).parents[2]
COMPOSE: Mapping[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: Mapping[str, Any] = COMPOSE["services"]
LOOPBACK_PORT = re.compile(r"127\.0\.0\.1:\d+:\d+")
PORT = "8000"


@dataclass(frozen=True)
class Dockerfile:
    """The instructions of a Dockerfile, each as its name and its text."""

    instructions: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, path: Path) -> Dockerfile:
        lines = [line for line in path.read_text("utf-8").splitlines() if line[:1] != "#"]
        joined = re.sub(r"\\\n", " ", "\n".join(lines))
        pairs = (line.strip().partition(" ") for line in joined.splitlines() if line.strip())
        return cls(tuple((name.upper(), text.strip()) for name, _, text in pairs))

    @property
    def last_stage(self) -> Dockerfile:
        start = max(i for i, (name, _) in enumerate(self.instructions) if name == "FROM")
        return Dockerfile(self.instructions[start:])

    def all(self, name: str) -> list[str]:
        return [text for each, text in self.instructions if each == name]

    def last(self, name: str) -> str:
        return self.all(name)[-1]

    @property
    def environment(self) -> dict[str, str]:
        pairs = (part.partition("=") for text in self.all("ENV") for part in shlex.split(text))
        return {name: value for name, _, value in pairs}

    @property
    def copies(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Sources in the project and the place in the image, of COPYs from the project."""
        for text in self.all("COPY"):
            *sources, place = text.split()
            if not sources[0].startswith("--from="):
                yield tuple(sources), place

    @property
    def health_check(self) -> list[str]:
        return ["CMD", *json.loads(self.last("HEALTHCHECK").partition("CMD ")[2])]


FILES = {name: Dockerfile.read(ROOT / name / "Dockerfile") for name in ("server", "trainer")}

each_service = pytest.mark.parametrize("name", SERVICES)
each_image = pytest.mark.parametrize("name", FILES)


def lay_out(file: Dockerfile, folder: Path) -> Path:
    """Copy into ``folder`` what the image's last stage copies below its /app."""
    for sources, place in file.last_stage.copies:
        if place.startswith("/"):
            continue
        for source in sources:
            if source.endswith("/"):
                ignored = shutil.ignore_patterns("__pycache__", "Dockerfile")
                shutil.copytree(ROOT / source, folder / place, ignore=ignored)
            else:
                (folder / place).mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, folder / place)
    return folder


def scrubbed_environment(**more: str) -> dict[str, str]:
    kept = inherited_environment().items()
    return {k: v for k, v in kept if not k.upper().startswith("BOWERBIRD_")} | more


@each_service
def test_every_variable_is_a_setting(name: str) -> None:
    known = {setting for setting, _ in setting_names()}
    prefix = WorkerSettings.model_config["env_prefix"]
    known |= {f"{prefix}{field}".upper() for field in WorkerSettings.model_fields}
    given = set(SERVICES[name]["environment"]) | set(FILES[name].last_stage.environment)
    assert {key for key in given if key.startswith("BOWERBIRD_")} <= known


def test_the_server_takes_its_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in inherited_environment():
        if key.upper().startswith("BOWERBIRD_"):
            monkeypatch.delenv(key)
    for key, value in SERVICES["server"]["environment"].items():
        monkeypatch.setenv(key, value)
    settings = load_settings()
    assert settings.http.host == "0.0.0.0"
    assert settings.http.host_names == ("server",)
    assert settings.training.enabled is False
    assert str(settings.http.port) == PORT


def test_the_trainer_takes_its_options() -> None:
    python, module, trainer, *options = SERVICES["trainer"]["command"]
    assert [python, module, trainer] == json.loads(FILES["trainer"].last("CMD"))
    parsed = trainer_parser().parse_args(options)
    mount, place, mode = SERVICES["trainer"]["volumes"][0].split(":")
    assert (mount, mode) == ("trainer-token", "ro")
    assert parsed.token_file == Path(place, "token")


def test_the_trainer_calls_the_server_by_a_name_that_it_answers_to() -> None:
    address = SERVICES["trainer"]["environment"]["BOWERBIRD_TRAINER__SERVER"]
    name = SERVICES["server"]["environment"]["BOWERBIRD_HTTP__HOST_NAMES"]
    assert address == f"http://{name}:{PORT}"
    assert name in SERVICES
    assert SERVICES["trainer"]["depends_on"] == {name: {"condition": "service_healthy"}}


@each_service
def test_ports_are_published_on_loopback_alone(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert LOOPBACK_PORT.fullmatch(port)
        assert port.endswith(f":{FILES[name].last('EXPOSE')}")
    assert SERVICES[name].get("network_mode") is None


@each_service
def test_a_container_has_no_rights_that_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] == FILES[name].last_stage.last("USER")
    assert not service["user"].startswith("0")
    assert "privileged" not in service
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert service["restart"] == "unless-stopped"


def test_the_trainer_has_no_way_out() -> None:
    (network,) = SERVICES["trainer"]["networks"]
    assert COMPOSE["networks"][network]["internal"] is True
    assert network in SERVICES["server"]["networks"]


@each_service
def test_volumes_are_declared_and_lie_where_the_image_writes(name: str) -> None:
    mounts = dict(volume.split(":")[:2] for volume in SERVICES[name]["volumes"])
    assert set(mounts) <= set(COMPOSE["volumes"])
    (written,) = json.loads(FILES[name].last("VOLUME"))
    assert written in mounts.values()
    assert written in FILES[name].last_stage.environment.values()


@each_service
def test_health_is_asked_alike_by_image_and_compose(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"] == FILES[name].last_stage.health_check
    written = FILES[name].last("HEALTHCHECK")
    for key in ("interval", "timeout", "retries", "start_period"):
        assert f"--{key.replace('_', '-')}={check[key]} " in written


@each_service
def test_an_image_is_built_from_its_dockerfile(name: str) -> None:
    build = SERVICES[name]["build"]
    assert ROOT / build["context"] / build["dockerfile"] == ROOT / name / "Dockerfile"


def test_both_images_run_as_one_user_from_one_base() -> None:
    users = {file.last_stage.last("USER") for file in FILES.values()}
    bases = {file.all("ARG")[0] for file in FILES.values()}
    assert len(users) == len(bases) == 1
    (user,) = users
    uid = user.partition(":")[0]
    for file in FILES.values():
        assert f"--uid {uid} " in " ".join(file.all("RUN"))


@each_image
def test_what_is_copied_exists_and_reaches_the_builder(name: str) -> None:
    ignore = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    allowed = {line[1:] for line in ignore if line.startswith("!")}
    assert "*" in ignore
    for sources, _ in FILES[name].copies:
        for source in sources:
            assert (ROOT / source).exists(), source
            assert Path(source).parts[0] in allowed


@each_image
def test_an_image_installs_the_packages_of_its_side(name: str) -> None:
    assert f"pip install '.[{name}]'" in " ".join(FILES[name].all("RUN"))
    assert not any("pip" in text for text in FILES[name].last_stage.all("RUN"))


def test_the_trainers_image_holds_nothing_of_the_server_but_the_contract(tmp_path: Path) -> None:
    app = lay_out(FILES["trainer"], tmp_path)
    assert sorted(p.name for p in app.iterdir()) == ["server", "trainer"]
    assert sorted(p.name for p in (app / "server").iterdir()) == ["__init__.py", "contract"]


@pytest.mark.slow
def test_the_trainers_modules_import_with_just_its_images_files(tmp_path: Path) -> None:
    app = lay_out(FILES["trainer"], tmp_path)
    code = """
import importlib, json, pkgutil, sys
import trainer
for module in pkgutil.walk_packages(trainer.__path__, "trainer."):
    importlib.import_module(module.name)
ours = {n: m.__file__ for n, m in sys.modules.items() if n.split(".")[0] in ("server", "trainer")}
json.dump(ours, sys.stdout)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=app,
        env=scrubbed_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    loaded: dict[str, str] = json.loads(done.stdout)
    assert "trainer.runner" in loaded
    assert all(Path(file).is_relative_to(app) for file in loaded.values())
    servers = {name for name in loaded if name.startswith("server.")}
    assert {name.split(".")[1] for name in servers} == {"contract"}


@pytest.mark.slow
def test_the_servers_command_serves_with_just_its_images_files(tmp_path: Path) -> None:
    app = lay_out(FILES["server"], tmp_path / "app")
    command, *arguments = json.loads(FILES["server"].last("CMD"))
    assert command == "bowerbird"
    environment = {k: str(v) for k, v in SERVICES["server"]["environment"].items()}
    # Loopback and a free port instead of the container's own network.
    environment |= {"BOWERBIRD_DATA": str(tmp_path / "data"), "BOWERBIRD_HTTP__HOST": "127.0.0.1"}
    environment["BOWERBIRD_HTTP__PORT"] = "0"
    environment["BOWERBIRD_TRAINING__TOKEN_FILE"] = str(tmp_path / "trainer-token" / "token")
    server = subprocess.Popen(
        [sys.executable, "-m", "server", *arguments],
        cwd=app,
        env=scrubbed_environment(**environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        url = server.stdout.readline().split()[-1]
        check = FILES["server"].health_check[1:]
        asked = check[-1].replace(f"http://127.0.0.1:{PORT}", url)
        assert asked != check[-1]
        subprocess.run([sys.executable, *check[1:-1], asked], timeout=30, check=True)
        served = urllib.request.urlopen(f"{url}/assets/main.js", timeout=10)
        with served:
            assert served.status == 200
        assert (tmp_path / "data" / "token").stat().st_mode & 0o777 == 0o600
    finally:
        started = time.monotonic()
        server.terminate()
        # uvicorn raises the signal again after its clean end.
        assert server.wait(timeout=20) in {0, -signal.SIGTERM}
        assert server.stdout is not None
        server.stdout.close()
    grace_s = float(COMPOSE["services"]["server"]["stop_grace_period"].removesuffix("s"))
    assert time.monotonic() - started < grace_s
