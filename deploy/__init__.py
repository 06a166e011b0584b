"""Running it: the stack on one machine, containers, Kubernetes, systemd, CI."""
