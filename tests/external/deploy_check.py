"""What deploy/ holds is what Kubernetes, Docker and the Collector take.

Schemas by kubernetes-validate, the Dockerfile by hadolint, and by hand what neither looks at: the restricted Pod
Security Standard, ports that agree, and that the daemon itself accepts the configuration the ConfigMap mounts.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import yaml

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy"
KUBERNETES = ["kubernetes.yaml", "sidecar.yaml"]


def documents(name):
    return [d for d in yaml.safe_load_all((DEPLOY / name).read_text()) if d]


def pod_specs(name):
    for document in documents(name):
        if document["kind"] == "Deployment":
            yield document["spec"]["template"]["spec"]


def containers(pod):
    return pod.get("initContainers", []) + pod["containers"]


def schemas_hold():
    for name in KUBERNETES:
        command = ["kubernetes-validate", "--strict", "-k", "1.34", str(DEPLOY / name)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def a_misspelt_field_would_be_seen():
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as broken:
        broken.write((DEPLOY / "sidecar.yaml").read_text().replace("restartPolicy:", "restartPolice:"))
        broken.flush()
        command = ["kubernetes-validate", "--strict", "-k", "1.34", broken.name]
        assert subprocess.run(command, capture_output=True).returncode != 0


def pods_are_restricted():
    for name in KUBERNETES:
        for pod in pod_specs(name):
            assert pod["automountServiceAccountToken"] is False
            context = pod["securityContext"]
            assert context["runAsNonRoot"] is True and context["runAsUser"] == 65532
            assert context["seccompProfile"] == {"type": "RuntimeDefault"}
            for container in containers(pod):
                context = container["securityContext"]
                assert context["allowPrivilegeEscalation"] is False, container["name"]
                assert context["capabilities"] == {"drop": ["ALL"]}, container["name"]
                assert context["readOnlyRootFilesystem"] is True, container["name"]


def named_ports_exist():
    for name in KUBERNETES:
        names = {p["name"] for pod in pod_specs(name) for c in containers(pod) for p in c.get("ports", [])}
        for document in documents(name):
            if document["kind"] == "Service":
                assert {p["targetPort"] for p in document["spec"]["ports"]} <= names
            if document["kind"] == "NetworkPolicy":
                rules = document["spec"]["ingress"]
                assert {p["port"] for rule in rules for p in rule["ports"]} <= names
        for pod in pod_specs(name):
            for container in containers(pod):
                for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                    if probe in container:
                        assert container[probe]["httpGet"]["port"] in names


def the_daemon_takes(arguments, extra):
    environment = {"PATH": os.environ["PATH"], **extra}
    run = subprocess.run([os.environ["SPANGRAPH_BIN"], *arguments], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


def the_mounted_configuration_is_good():
    for document in documents("kubernetes.yaml"):
        if document["kind"] == "ConfigMap":
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write(document["data"]["config.yaml"])
                file.flush()
                the_daemon_takes(["check-config", "--config", file.name], {})


def the_sidecars_environment_is_read():
    for pod in pod_specs("sidecar.yaml"):
        sidecar = pod["initContainers"][0]
        assert sidecar["restartPolicy"] == "Always"
        environment = {e["name"]: e["value"] for e in sidecar["env"]}
        shown = yaml.safe_load(the_daemon_takes(["print-config"], environment))
        assert shown["receiver"]["grpc"]["listen"] == "127.0.0.1:4317"
        assert shown["api"]["listen"] == "[::]:7317"


def the_dockerfile_is_clean():
    subprocess.run(["hadolint", str(DEPLOY / "Dockerfile")], check=True)


def the_collector_sends_to_the_service():
    config = documents("collector.yaml")[0]
    for kind in ("receivers", "processors", "exporters"):
        assert set(config["service"]["pipelines"]["traces"][kind]) <= set(config[kind])
    host, port = config["exporters"]["otlp/spangraph"]["endpoint"].rsplit(":", 1)
    services = [d for d in documents("kubernetes.yaml") if d["kind"] == "Service"]
    targets = {(f"{s['metadata']['name']}.{s['metadata']['namespace']}.svc.cluster.local", str(p["port"]))
               for s in services for p in s["spec"]["ports"]}
    assert (host, port) in targets


def main():
    checks = [
        schemas_hold, a_misspelt_field_would_be_seen, pods_are_restricted, named_ports_exist,
        the_mounted_configuration_is_good, the_sidecars_environment_is_read, the_dockerfile_is_clean,
        the_collector_sends_to_the_service,
    ]
    for check in checks:
        check()
        print(f"ok {check.__name__}")


if __name__ == "__main__":
    sys.exit(main())
