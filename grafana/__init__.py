"""The Grafana dashboards of pop-stream, as code that writes committed JSON."""
