"""Keys and certificates for one check, made by openssl in a directory of their own."""

import pathlib
import subprocess

NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1"


def openssl(*arguments, **more):
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, **more).stdout


class Authority:
    """Vouches for servers; `path` is its certificate."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.path, self.key = str(self.directory / "ca.pem"), str(self.directory / "ca.key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2", "-subj", "/CN=ca",
                "-keyout", self.key, "-out", self.path)

    def certify(self, name):
        """A new certificate and its key, and the serial number."""
        key, request, certificate = (self.directory / f"{name}.{end}" for end in ("key", "csr", "pem"))
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-subj", f"/CN={name}", "-addext", NAMES,
                "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.path, "-CAkey", self.key, "-days", "2", "-copy_extensions", "copy", "-out", certificate)
        return certificate, key, serial(certificate.read_bytes())


def serial(certificate):
    return openssl("x509", "-noout", "-serial", input=certificate).decode().strip()


def shown(address, *options):
    """What `openssl s_client` reports of a handshake, and the serial number of the certificate that was shown."""
    command = ["openssl", "s_client", "-connect", address, *options]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=20)
    return done.returncode, done.stdout.decode(errors="replace"), serial(done.stdout) if b"BEGIN CERT" in done.stdout else ""
