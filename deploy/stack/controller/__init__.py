"""A stub of an AppDynamics controller with the made-up shop, its API's rules, and injectable faults.

controller = Controller(seed=1, clock=lambda: now)
with serve(controller) as url:
    ...                                   # account "demo", client "pte-exporter", controller.secret
    controller.faults.add(faults.unavailable(times=1))
    assert controller.token_requests == 1
"""

from __future__ import annotations

from deploy.stack.controller import faults
from deploy.stack.controller.controller import ACCOUNT, CLIENT, Controller
from deploy.stack.controller.faults import Fault
from deploy.stack.controller.messages import Answer, Request
from deploy.stack.controller.server import Server, serve

__all__ = ["ACCOUNT", "CLIENT", "Answer", "Controller", "Fault", "Request", "Server", "faults", "serve"]
