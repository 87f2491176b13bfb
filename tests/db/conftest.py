"""Sample rows: at least one in every table."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db import schema as s

NOW = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)

Seal = Callable[[str], bytes]


async def insert_sample(session: AsyncSession, login: str, number: str, mac: str, seal: Seal) -> None:
    """A customer with something in every table that hangs on it."""
    product = (await session.scalars(select(s.ProductRow).order_by(s.ProductRow.id))).first()
    feature = (await session.scalars(select(s.FeatureRow).order_by(s.FeatureRow.id))).first()
    assert product is not None
    assert feature is not None
    plan = s.RatePlanRow(name=login)
    session.add(plan)
    await session.flush()
    customer = s.CustomerRow(
        login=login,
        name="Nowy klient testowy",
        credit_limit=Decimal("50.00"),
        rate_plan_id=plan.id,
        created_at=NOW,
    )
    site = s.SiteRow(name="Lokalizacja domyślna")
    line = s.LineRow(
        number=number,
        product=product,
        site=site,
        credit_limit=Decimal("5.00"),
        password_sealed=seal("line password"),
        ha1_sealed=seal("ha1"),
        created_at=NOW,
        forwardings=[s.ForwardingRow(kind="busy", target="102")],
    )
    reception = s.ExtensionRow(number="101", line=line, name="Recepcja", published=True)
    sales = s.HuntGroupRow(
        number="600", members=[s.HuntGroupMemberRow(position=1, extension=reception, logged_in=False)]
    )
    everybody = s.HuntGroupRow(number="601", members=[s.HuntGroupMemberRow(position=1, member_group=sales)])
    device = s.DeviceRow(
        mac=mac,
        model="VP530P",
        site=site,
        service_token_sealed=seal("service token"),
        service_token_hash=mac * 2,
        admin_password_sealed=seal("admin"),
        user_password_sealed=seal("user"),
        created_at=NOW,
        tokens=[s.DeviceTokenRow(version=1, token_sealed=seal("token"), token_hash=mac, created_at=NOW)],
        accounts=[s.DeviceAccountRow(account=1, line=line)],
        keys=[s.DeviceKeyRow(position=1, type="blf", value="102", bank="line", key=2)],
    )
    customer.sites = [site]
    customer.lines = [line]
    customer.extensions = [reception]
    customer.hunt_groups = [sales, everybody]
    customer.speed_dials = [s.SpeedDialRow(number="34", target="48225550111")]
    customer.feature_codes = [s.FeatureCodeRow(name="hide_number", code="*67")]
    customer.devices = [device]
    session.add(customer)
    await session.flush()

    music = s.MediaRow(
        customer_id=customer.id,
        kind="music",
        name="Cumbia",
        file_name="cumbia.wav",
        sha256="0" * 64,
        size=9,
        created_at=NOW,
    )
    audit = s.AuditRow(
        at=NOW,
        actor="cli",
        role="operator",
        customer_id=customer.id,
        verb="apply",
        subject=login,
        summary="+",
    )
    call = s.CallRecordRow(
        uuid=uuid.uuid4(),
        customer_id=customer.id,
        direction="outgoing",
        from_number="101",
        to_number="48223809882",
        billed_line_id=line.id,
        billed_number=number,
        started_at=NOW,
        cost=Decimal("0.01"),
        legs=[s.CallLegRow(position=1, line=number, reason="answered")],
    )
    plan = s.CallPlanRow(customer_id=customer.id, digest="0" * 32, plan="{}")
    session.add_all([music, audit, call, plan])
    await session.flush()
    customer.music_id = music.id
    reception.recorded_name_id = music.id

    file = s.DeviceFileRow(device_id=device.id, name=f"{mac}.cfg")
    session.add(file)
    await session.flush()
    file.current_revision = s.RevisionRow(
        file=file,
        number=1,
        content="x = 1\n",
        digest="0" * 64,
        created_at=NOW,
        actor="cli",
        cause="apply",
        audit_id=audit.id,
    )
    user = s.UserRow(customer_id=customer.id, login=login, role="customer", time_zone="Europe/Prague")
    rollout = s.RolloutRow(
        customer_id=customer.id, opened_at=NOW, actor="cli", cause="apply", audit_id=audit.id
    )
    run = s.ProofRunRow(
        customer_id=customer.id, cause="nightly", actor="system", slot=login, speed=4, made_at=NOW, due_at=NOW
    )
    session.add_all([rollout, user, run])
    await session.flush()
    session.add(
        s.OwedFilesRow(
            customer_id=customer.id, at=NOW, actor="cli", role="operator", cause="apply", audit_id=audit.id
        )
    )
    session.add_all(
        [
            s.RolloutPhoneRow(rollout_id=rollout.id, device_id=device.id),
            s.RolloutFileRow(
                rollout_id=rollout.id,
                file_id=file.id,
                before_revision_id=file.current_revision_id,
                staged_revision_id=file.current_revision_id,
            ),
            s.CallEventRow(
                call_id=call.id, serial=1, customer_id=customer.id, at=NOW, kind="began", details="{}"
            ),
            s.ProofRow(
                customer_id=customer.id,
                number="600",
                at=NOW,
                passed=True,
                calls=1,
                failed=0,
                actor="cli",
                details="{}",
                run_id=run.id,
            ),
            s.ProofScheduleRow(customer_id=customer.id, nightly=False),
            s.ApiTokenRow(
                name="reports", hash=login, role="customer", customer_id=customer.id, created_at=NOW
            ),
            s.CustomerFeatureRow(customer_id=customer.id, feature_id=feature.id, value="0"),
            s.LineFeatureRow(line_id=line.id, feature_id=feature.id, value="0"),
            s.HuntGroupUsageRow(group_id=sales.id, extension_id=reception.id, last_answered_at=NOW),
            s.SettingRow(
                level="device",
                device_id=device.id,
                kind="parameter",
                name="ldap.password",
                value_sealed=seal("ldap password"),
            ),
            s.SettingRow(
                level="customer", customer_id=customer.id, kind="option", name="language", value="pl"
            ),
            s.EncryptionKeyRow(
                customer_id=customer.id,
                version=1,
                characters=16,
                key_sealed=seal("encryption key"),
                created_at=NOW,
            ),
            s.ClaimRow(device_id=device.id, opened_at=NOW, expires_at=NOW, token_version=1),
            s.AlarmRow(device_id=device.id, customer_id=customer.id, kind="raced", text="…", at=NOW),
            s.ProvisioningRequestRow(
                at=NOW,
                device_id=device.id,
                mac=mac,
                source="192.0.2.1",
                method="GET",
                path="/…/x.cfg",
                revision_id=file.current_revision_id,
                status=200,
                reason="token",
            ),
            s.PhoneEventRow(at=NOW, device_id=device.id, event="registered", source="192.0.2.1"),
            s.UploadRow(
                device_id=device.id,
                kind="local",
                number=1,
                content_sealed=seal("x = 1"),
                size=6,
                at=NOW,
                origin="192.0.2.1",
            ),
            s.RateRow(
                plan_id=plan.id,
                prefix="48",
                name="Polska",
                price_per_minute=Decimal("0.04"),
                setup=Decimal("0"),
                valid_from=NOW,
            ),
            s.BalanceRow(customer_id=customer.id, currency="PLN", amount=Decimal("0.01")),
            s.LedgerEntryRow(
                customer_id=customer.id, at=NOW, amount=Decimal("0.01"), kind="call", call_id=call.id
            ),
            s.RegistrationRow(
                line_id=line.id,
                device_id=device.id,
                contact="sip:x@192.0.2.1",
                call_id="a",
                cseq=1,
                transport="udp",
                source="192.0.2.1:5060",
                registered_at=NOW,
                refreshed_at=NOW,
                expires_at=NOW,
            ),
            s.RegistrationEventRow(
                line_id=line.id, device_id=device.id, at=NOW, kind="registered", contact="sip:x@192.0.2.1"
            ),
            s.ResyncRow(
                device_id=device.id,
                revision_id=file.current_revision_id,
                kind="resync",
                cause="change",
                actor="cli",
                asked_at=NOW,
            ),
            s.PnpInboxRow(mac=mac, source="192.0.2.9", first_seen_at=NOW, last_seen_at=NOW),
            s.TrunkRow(
                customer_id=customer.id,
                name="PBX",
                user="pbx",
                password_sealed=seal("trunk password"),
                numbers=[s.TrunkNumberRow(number=f"{number}1")],
            ),
            s.FirmwareRow(
                name=f"{login}-66.86.0.15.rom",
                sha256="0" * 64,
                size=1,
                prefix=66,
                version="66.86.0.15",
                added_at=NOW,
                actor="cli",
            ),
            s.SessionRow(
                id_hash=mac,
                user_id=user.id,
                csrf="c",
                created_at=NOW,
                last_seen_at=NOW,
                expires_at=NOW,
                source="192.0.2.1",
            ),
            s.InstanceRow(key=login, value="http://192.0.2.1:8081"),
            s.ToldHostRow(host=f"{login}.example"),
            s.SubscriptionRow(tag=login, remote="192.0.2.9:5060", local_address="", farewell="NOTIFY"),
            s.ChangeRow(scope="all", at=NOW),
            s.MissRow(source="192.0.2.7", mac=mac, at=NOW),
            s.BanRow(source="192.0.2.8", verdict="banned", since=NOW, until=NOW, actor="system"),
            # A lease that lapsed long ago: nobody waits for this node.
            s.NodeRow(id=login, lease_until=NOW, confirmed=0),
        ]
    )


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def sample() -> Callable[..., object]:
    """`insert_sample`, sealing secrets with nothing but an encoding unless told otherwise."""

    async def insert(session: AsyncSession, seal: Seal = str.encode) -> None:
        await insert_sample(session, "nowyklienttestowy", "48223809887", "0015654aa937", seal)

    return insert
