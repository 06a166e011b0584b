# The exporter by itself: `docker build -t pte-exporter .`, then
# `docker run --read-only -p 127.0.0.1:9826:9826 pte-exporter` shows the embedded demo.
#
# A site that keeps images of its own names them: --build-arg PYTHON_IMAGE=registry.example/python:3.11-slim
ARG PYTHON_IMAGE=python:3.11.15-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY exporter ./exporter
# What built it and what tests it stays here: a third of the size.
RUN /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
  && /venv/bin/pip uninstall --yes setuptools pip \
  && find /venv -type d -name tests -prune -exec rm -r {} +

FROM ${PYTHON_IMAGE}
COPY --from=build /venv /venv
# A named volume mounted here takes over this owner; docker-compose.yml keeps what it prepares in it.
RUN install -d -o 65534 -g 65534 /state
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65534:65534
EXPOSE 9826
# Where the exporter serves TLS or another port, say --health-cmd or --no-healthcheck.
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9826/-/healthy', timeout=3)"]
ENTRYPOINT ["pte-exporter"]
CMD ["serve", "--web.listen-address=:9826"]
