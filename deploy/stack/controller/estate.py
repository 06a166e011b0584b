"""What is registered on the controller: applications, tiers, nodes and business transactions, with stable ids."""

from __future__ import annotations

from dataclasses import dataclass

from exporter.demo import shop
from exporter.demo.traffic import ROLES, Role, Share, shares

TIERS = ("web", "app")
"""Every request passes the first; the second serves those that change something."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A business transaction: one route of the shop."""

    id: int
    name: str
    tier: str
    share: Share


@dataclass(frozen=True, slots=True)
class Application:
    """One application of the made-up shop on one side."""

    id: int
    name: str
    role: Role
    served: shop.ShopApplication
    nodes: dict[str, int]
    """Number of nodes by tier; empty where no agent ever reported."""
    transactions: tuple[Transaction, ...]

    def tier_id(self, tier: str) -> int:
        return self.id * 10 + 1 + TIERS.index(tier)


def estate(seed: int) -> dict[str, Application]:
    """Applications by name: "shop" is production's, "shop-pte" the PTE's."""
    applications = {}
    for side, role in enumerate(ROLES, 1):
        for index, served in enumerate(shop.APPLICATIONS):
            application = _application(seed, role, served, 100 * side + index)
            applications[application.name] = application
    return applications


def _application(seed: int, role: Role, served: shop.ShopApplication, number: int) -> Application:
    name = served.name if role == "production" else f"{served.name}-pte"
    nodes: dict[str, int] = {}
    if role == "production" or served.test is not None:
        size = 2 if served.name == "shop" else 1
        nodes = {"web": 2 * size, "app": size}

    transactions = tuple(
        Transaction(number * 1000 + index, f"{share.method} {share.path}", _tier(share), share)
        for index, share in enumerate(shares(seed, role, served))
    )
    return Application(number, name, role, served, nodes, transactions)


def _tier(share: Share) -> str:
    return "web" if share.method == "GET" else "app"


def applications(every: dict[str, Application], hidden: set[str]) -> list[dict[str, object]]:
    """Those that the client may see."""
    return [_application_row(application) for application in every.values() if application.name not in hidden]


def _application_row(application: Application) -> dict[str, object]:
    """Without a description the field is missing."""
    row: dict[str, object] = {
        "name": application.name,
        "id": application.id,
        "accountGuid": "6dd2de78-0000-4000-8000-000000000001",
    }
    if application.role == "production":
        row["description"] = "The made-up shop"
    return row


def business_transactions(application: Application) -> list[dict[str, object]]:
    return [
        {
            "background": False,
            "entryPointType": "SERVLET",
            "id": transaction.id,
            "internalName": transaction.name,
            "name": transaction.name,
            "tierId": application.tier_id(transaction.tier),
            "tierName": transaction.tier,
        }
        for transaction in application.transactions
    ]


def tiers(application: Application) -> list[dict[str, object]]:
    return [
        {
            "agentType": "APP_AGENT",
            "description": "",
            "id": application.tier_id(tier),
            "name": tier,
            "numberOfNodes": count,
            "type": "Application Server",
        }
        for tier, count in application.nodes.items()
    ]


def nodes(application: Application) -> list[dict[str, object]]:
    return [
        {
            "id": application.tier_id(tier) * 10 + index,
            "ipAddresses": None,
            "machineName": f"{tier}-{index}",
            "name": f"{tier}-{index}",
            "tierId": application.tier_id(tier),
            "tierName": tier,
            "type": "Tomcat",
        }
        for tier, count in application.nodes.items()
        for index in range(1, count + 1)
    ]
