"""The whole job on real servers: `python -m deploy.stack` on this machine, docker-compose.yml in containers."""
