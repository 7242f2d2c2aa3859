# Resonanz in one image: `docker build -t resonanz .`; run it with compose.yaml.
FROM python:3.12-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src ./src
# Everything goes into one prefix that the final image copies; pip and its cache stay behind.
RUN python -m venv /opt/resonanz \
    && /opt/resonanz/bin/pip install --no-cache-dir -c constraints.txt '.[postgres]'

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/resonanz --create-home resonanz
COPY --from=build /opt/resonanz /opt/resonanz
ENV PATH=/opt/resonanz/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    RESONANZ_DATA_DIR=/var/lib/resonanz \
    RESONANZ_LISTEN_HOST=0.0.0.0
USER resonanz
VOLUME /var/lib/resonanz
# dashboard and API, edge, preview, submission, inbound
EXPOSE 8600 8601 8602 8587 8525
# The app's health listener stays on the container's loopback.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8611/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["resonanz"]
CMD ["up"]
