# syntax=docker/dockerfile:1
# Valkey's wheel is built for glibc: a slim image, not Alpine.
FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY monitor ./monitor
RUN python -m venv /opt/monitor && /opt/monitor/bin/pip install '.[postgresql]'

FROM python:3.12-slim
LABEL org.opencontainers.image.title="live-update monitor" \
      org.opencontainers.image.description="Polls live blogs, publishes each change as a delta to Redis, alerts on words" \
      org.opencontainers.image.licenses="MIT"
RUN groupadd --gid 10001 monitor \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /state --shell /usr/sbin/nologin monitor \
 && install -d -o 10001 -g 10001 -m 0700 /state
COPY --from=build /opt/monitor /opt/monitor
COPY config/ /etc/monitor/
ENV PATH=/opt/monitor/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STATE_DIRECTORY=/state
WORKDIR /state
USER 10001:10001
VOLUME /state
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s --retries=3 CMD ["monitor", "status", "--quiet", "--live"]
ENTRYPOINT ["monitor"]
CMD ["run"]
