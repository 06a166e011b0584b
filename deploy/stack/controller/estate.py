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
    served: shop.Application
    nodes: dict[str, int]
    """Number of nodes by tier; empty where no agent ever reported."""
    transactions: tuple[Transaction, ...]

    def tier_id(self, tier: str) -> int:
        return self.id * 10 + 1 + TIERS.index(tier)


def estate(seed: int) -> dict[str, Application]:
    """Applications by name: "shop" is production's, "shop-pte" the PTE's."""
    made = [
        _application(seed, role, one, 100 * (1 + ROLES.index(role)) + index)
        for role in ROLES
        for index, one in enumerate(shop.APPLICATIONS)
    ]
    return {one.name: one for one in made}


def _application(seed: int, role: Role, served: shop.Application, number: int) -> Application:
    name = served.name if role == "production" else f"{served.name}-pte"
    seen = role == "production" or served.test is not None
    size = 2 if served.name == "shop" else 1
    return Application(
        id=number,
        name=name,
        role=role,
        served=served,
        nodes={"web": 2 * size, "app": size} if seen else {},
        transactions=tuple(
            Transaction(number * 1000 + index, f"{share.method} {share.path}", _tier(share), share)
            for index, share in enumerate(shares(seed, role, served))
        ),
    )


def _tier(share: Share) -> str:
    return "web" if share.method == "GET" else "app"


def applications(found: dict[str, Application], hidden: set[str]) -> list[dict[str, object]]:
    """Those that the client may see; the text of an application is missing where nobody wrote one."""
    return [
        {
            "name": one.name,
            "id": one.id,
            "accountGuid": "6dd2de78-0000-4000-8000-000000000001",
            **({"description": "The made-up shop"} if one.role == "production" else {}),
        }
        for one in found.values()
        if one.name not in hidden
    ]


def business_transactions(one: Application) -> list[dict[str, object]]:
    return [
        {
            "background": False,
            "entryPointType": "SERVLET",
            "id": each.id,
            "internalName": each.name,
            "name": each.name,
            "tierId": one.tier_id(each.tier),
            "tierName": each.tier,
        }
        for each in one.transactions
    ]


def tiers(one: Application) -> list[dict[str, object]]:
    return [
        {
            "agentType": "APP_AGENT",
            "description": "",
            "id": one.tier_id(tier),
            "name": tier,
            "numberOfNodes": count,
            "type": "Application Server",
        }
        for tier, count in one.nodes.items()
    ]


def nodes(one: Application) -> list[dict[str, object]]:
    return [
        {
            "id": one.tier_id(tier) * 10 + index,
            "ipAddresses": None,
            "machineName": f"{tier}-{index}",
            "name": f"{tier}-{index}",
            "tierId": one.tier_id(tier),
            "tierName": tier,
            "type": "Tomcat",
        }
        for tier, count in one.nodes.items()
        for index in range(1, count + 1)
    ]
