"""The tables of the whole domain, one module a noun group. `metadata` holds them all."""

from __future__ import annotations

from db.schema.base import Base
from db.schema.billing import BalanceRow, LedgerEntryRow, RatePlanRow, RateRow
from db.schema.calls import CallEventRow, CallLegRow, CallPlanRow, CallRecordRow
from db.schema.customers import ApiTokenRow, CustomerFeatureRow, CustomerRow, SiteRow, UserRow
from db.schema.devices import (
    ClaimRow,
    DeviceAccountRow,
    DeviceKeyRow,
    DeviceRow,
    DeviceTokenRow,
    EncryptionKeyRow,
    SettingRow,
)
from db.schema.exchange import (
    ExtensionRow,
    FeatureCodeRow,
    HuntGroupMemberRow,
    HuntGroupRow,
    HuntGroupUsageRow,
    SpeedDialRow,
)
from db.schema.files import DeviceFileRow, OwedFilesRow, RevisionRow
from db.schema.firmware import FirmwareRow
from db.schema.history import AlarmRow, AuditRow, ProvisioningRequestRow
from db.schema.instance import InstanceRow
from db.schema.lines import ForwardingRow, LineFeatureRow, LineRow
from db.schema.media import MediaRow
from db.schema.nodes import ChangeRow, NodeRow
from db.schema.products import FeatureRow, ProductFeatureRow, ProductRow
from db.schema.proofs import ProofRow, ProofRunRow, ProofScheduleRow
from db.schema.registering import PnpInboxRow, RegistrationEventRow, ResyncRow
from db.schema.reports import PhoneEventRow, UploadRow
from db.schema.rollouts import RolloutFileRow, RolloutPhoneRow, RolloutRow
from db.schema.scans import BanRow, MissRow
from db.schema.sessions import SessionRow
from db.schema.signalling import (
    RegistrationRow,
    SubscriptionRow,
    ToldHostRow,
    TrunkNumberRow,
    TrunkRow,
)

metadata = Base.metadata

__all__ = [
    "AlarmRow",
    "ApiTokenRow",
    "AuditRow",
    "BalanceRow",
    "BanRow",
    "Base",
    "CallEventRow",
    "CallLegRow",
    "CallPlanRow",
    "CallRecordRow",
    "ChangeRow",
    "ClaimRow",
    "CustomerFeatureRow",
    "CustomerRow",
    "DeviceAccountRow",
    "DeviceFileRow",
    "DeviceKeyRow",
    "DeviceRow",
    "DeviceTokenRow",
    "EncryptionKeyRow",
    "ExtensionRow",
    "FeatureCodeRow",
    "FeatureRow",
    "FirmwareRow",
    "ForwardingRow",
    "HuntGroupMemberRow",
    "HuntGroupRow",
    "HuntGroupUsageRow",
    "InstanceRow",
    "LedgerEntryRow",
    "LineFeatureRow",
    "LineRow",
    "MediaRow",
    "MissRow",
    "NodeRow",
    "OwedFilesRow",
    "PhoneEventRow",
    "PnpInboxRow",
    "ProductFeatureRow",
    "ProductRow",
    "ProofRow",
    "ProofRunRow",
    "ProofScheduleRow",
    "ProvisioningRequestRow",
    "RatePlanRow",
    "RateRow",
    "RegistrationEventRow",
    "RegistrationRow",
    "ResyncRow",
    "RevisionRow",
    "RolloutFileRow",
    "RolloutPhoneRow",
    "RolloutRow",
    "SessionRow",
    "SettingRow",
    "SiteRow",
    "SpeedDialRow",
    "SubscriptionRow",
    "ToldHostRow",
    "TrunkNumberRow",
    "TrunkRow",
    "UploadRow",
    "UserRow",
    "metadata",
]
