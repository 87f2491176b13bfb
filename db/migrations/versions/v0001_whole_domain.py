"""The whole domain: every table, and the products that come with it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None

# Spelled out instead of imported from the schema: a migration keeps meaning what it meant when it was made.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
MONEY = sa.BigInteger()

TABLES = (
    "rate_plans",
    "customers",
    "sites",
    "users",
    "api_tokens",
    "products",
    "features",
    "product_features",
    "customer_features",
    "lines",
    "line_features",
    "forwardings",
    "media",
    "extensions",
    "hunt_groups",
    "hunt_group_members",
    "hunt_group_usage",
    "speed_dials",
    "feature_codes",
    "devices",
    "device_tokens",
    "device_accounts",
    "device_keys",
    "settings",
    "claims",
    "audit",
    "alarms",
    "device_files",
    "revisions",
    "provisioning_requests",
    "call_records",
    "call_legs",
    "rates",
    "balances",
    "ledger_entries",
    "registrations",
    "trunks",
    "trunk_numbers",
    "instance",
)
"In the order of making; dropped backwards."

CIRCLES = (
    ("customers", "music_id", "media", "SET NULL"),
    ("devices", "fetched_revision_id", "revisions", "SET NULL"),
    ("device_files", "current_revision_id", "revisions", None),
    ("device_files", "held_revision_id", "revisions", None),
)
"""Foreign keys of tables that refer to each other.

SQLite can add none to a table, but takes them before the other table is there, so they stand in its
`create_table` (`use_alter`); PostgreSQL takes them once both tables are there.
"""


def upgrade() -> None:
    _rate_plans()
    _customers()
    _products()
    _lines()
    _media()
    _exchange()
    _devices()
    _history()
    _files()
    _calls()
    _billing()
    _signalling()
    _instance()
    if op.get_bind().dialect.supports_alter:
        for table, column, other, ondelete in CIRCLES:
            op.create_foreign_key(
                f"fk_{table}_{column}_{other}", table, other, [column], ["id"], ondelete=ondelete
            )
    _stock()


def downgrade() -> None:
    if op.get_bind().dialect.supports_alter:
        for table, column, other, _ in CIRCLES:
            op.drop_constraint(f"fk_{table}_{column}_{other}", table, type_="foreignkey")
    for table in reversed(TABLES):
        op.drop_table(table)


def _rate_plans() -> None:
    op.create_table(
        "rate_plans",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rate_plans"),
        sa.UniqueConstraint("name", name="uq_rate_plans_name"),
        sqlite_autoincrement=True,
    )


def _customers() -> None:
    op.create_table(
        "customers",
        sa.Column("id", ID, nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("credit_limit", MONEY, nullable=True),
        sa.Column("rate_plan_id", ID, nullable=True),
        sa.Column("company", sa.Text(), nullable=False),
        sa.Column("salutation", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("second_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("county", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("post_code", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("fax", sa.Text(), nullable=False),
        sa.Column("second_phone", sa.Text(), nullable=False),
        sa.Column("second_contact", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("extension_length", sa.Integer(), nullable=False),
        sa.Column("intercom_prefix", sa.Text(), nullable=True),
        sa.Column("pickup_prefix", sa.Text(), nullable=True),
        sa.Column("park_prefix", sa.Text(), nullable=True),
        sa.Column("park_retrieve_prefix", sa.Text(), nullable=True),
        sa.Column("park_return_after_s", sa.Integer(), nullable=False),
        sa.Column("distinctive_ring", sa.Boolean(), nullable=False),
        sa.Column("speed_dial_max_length", sa.Integer(), nullable=False),
        sa.Column("music_id", ID, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "(park_prefix IS NULL) = (park_retrieve_prefix IS NULL)", name=op.f("ck_customers_park_prefixes")
        ),
        _refers("customers", "music_id", "media", "SET NULL", circular=True),
        _refers("customers", "rate_plan_id", "rate_plans"),
        sa.PrimaryKeyConstraint("id", name="pk_customers"),
        sa.UniqueConstraint("login", name="uq_customers_login"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_customers_music_id", "customers", ["music_id"])
    op.create_index("ix_customers_rate_plan_id", "customers", ["rate_plan_id"])
    op.create_table(
        "sites",
        sa.Column("id", ID, nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("max_concurrent_calls", sa.Integer(), nullable=True),
        _refers("sites", "customer_id", "customers", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_sites"),
        sa.UniqueConstraint("customer_id", "name", name="uq_sites_customer_id_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "users",
        sa.Column("id", ID, nullable=False),
        sa.Column("customer_id", ID, nullable=True),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("last_login_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "(role IN ('operator', 'technician')) = (customer_id IS NULL)", name=op.f("ck_users_staff")
        ),
        sa.CheckConstraint(
            "role IN ('operator', 'technician', 'customer', 'user')", name=op.f("ck_users_role")
        ),
        _refers("users", "customer_id", "customers", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("login", name="uq_users_login"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_users_customer_id", "users", ["customer_id"])
    op.create_table(
        "api_tokens",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("customer_id", ID, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("last_used_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "role IN ('operator', 'technician') OR customer_id IS NOT NULL",
            name=op.f("ck_api_tokens_customer"),
        ),
        sa.CheckConstraint(
            "role IN ('operator', 'technician', 'customer', 'user')", name=op.f("ck_api_tokens_role")
        ),
        _refers("api_tokens", "customer_id", "customers", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_api_tokens"),
        sa.UniqueConstraint("hash", name="uq_api_tokens_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_api_tokens_customer_id", "api_tokens", ["customer_id"])


def _products() -> None:
    op.create_table(
        "products",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_products"),
        sa.UniqueConstraint("name", name="uq_products_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "features",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("default", sa.Text(), nullable=False),
        sa.CheckConstraint("type IN ('flag', 'number', 'text')", name=op.f("ck_features_type")),
        sa.PrimaryKeyConstraint("id", name="pk_features"),
        sa.UniqueConstraint("name", name="uq_features_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "product_features",
        sa.Column("product_id", ID, nullable=False),
        sa.Column("feature_id", ID, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _refers("product_features", "feature_id", "features", "CASCADE"),
        _refers("product_features", "product_id", "products", "CASCADE"),
        sa.PrimaryKeyConstraint("product_id", "feature_id", name="pk_product_features"),
    )
    op.create_index("ix_product_features_feature_id", "product_features", ["feature_id"])
    op.create_table(
        "customer_features",
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("feature_id", ID, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _refers("customer_features", "customer_id", "customers", "CASCADE"),
        _refers("customer_features", "feature_id", "features", "CASCADE"),
        sa.PrimaryKeyConstraint("customer_id", "feature_id", name="pk_customer_features"),
    )
    op.create_index("ix_customer_features_feature_id", "customer_features", ["feature_id"])


def _lines() -> None:
    op.create_table(
        "lines",
        sa.Column("id", ID, nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("product_id", ID, nullable=False),
        sa.Column("site_id", ID, nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("credit_limit", MONEY, nullable=True),
        sa.Column("password_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("ha1_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("password_version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_used_at", MOMENT, nullable=True),
        sa.CheckConstraint("type IN ('credit', 'debit', 'voucher')", name=op.f("ck_lines_type")),
        _refers("lines", "customer_id", "customers", "CASCADE"),
        _refers("lines", "product_id", "products"),
        _refers("lines", "site_id", "sites", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_lines"),
        sa.UniqueConstraint("number", name="uq_lines_number"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_lines_customer_id", "lines", ["customer_id"])
    op.create_index("ix_lines_product_id", "lines", ["product_id"])
    op.create_index("ix_lines_site_id", "lines", ["site_id"])
    op.create_table(
        "line_features",
        sa.Column("line_id", ID, nullable=False),
        sa.Column("feature_id", ID, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _refers("line_features", "feature_id", "features", "CASCADE"),
        _refers("line_features", "line_id", "lines", "CASCADE"),
        sa.PrimaryKeyConstraint("line_id", "feature_id", name="pk_line_features"),
    )
    op.create_index("ix_line_features_feature_id", "line_features", ["feature_id"])
    op.create_table(
        "forwardings",
        sa.Column("line_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("after_s", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('always', 'busy', 'no_answer', 'unreachable')", name=op.f("ck_forwardings_kind")
        ),
        _refers("forwardings", "line_id", "lines", "CASCADE"),
        sa.PrimaryKeyConstraint("line_id", "kind", name="pk_forwardings"),
    )


def _media() -> None:
    op.create_table(
        "media",
        sa.Column("id", ID, nullable=False),
        sa.Column("customer_id", ID, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "kind IN ('music', 'recorded_name', 'ringtone', 'logo', 'firmware', 'greeting', 'recording')",
            name=op.f("ck_media_kind"),
        ),
        _refers("media", "customer_id", "customers", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_media"),
        sa.UniqueConstraint("customer_id", "kind", "file_name", name="uq_media_customer_id_kind_file_name"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_media_sha256", "media", ["sha256"])
    op.create_index(
        "uq_media_shared_kind_file_name",
        "media",
        ["kind", "file_name"],
        unique=True,
        sqlite_where=sa.text("customer_id IS NULL"),
        postgresql_where=sa.text("customer_id IS NULL"),
    )


def _exchange() -> None:
    op.create_table(
        "extensions",
        sa.Column("id", ID, nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("line_id", ID, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("recorded_name_id", ID, nullable=True),
        _refers("extensions", "customer_id", "customers", "CASCADE"),
        _refers("extensions", "line_id", "lines", "SET NULL"),
        _refers("extensions", "recorded_name_id", "media", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_extensions"),
        sa.UniqueConstraint("customer_id", "number", name="uq_extensions_customer_id_number"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_extensions_line_id", "extensions", ["line_id"])
    op.create_index("ix_extensions_recorded_name_id", "extensions", ["recorded_name_id"])
    op.create_table(
        "hunt_groups",
        sa.Column("id", ID, nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("caller_presentation", sa.Text(), nullable=False),
        sa.Column("pickup_allowed", sa.Boolean(), nullable=False),
        sa.Column("overflow", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "caller_presentation IN ('keep', 'group', 'group_name')",
            name=op.f("ck_hunt_groups_caller_presentation"),
        ),
        sa.CheckConstraint(
            "strategy IN ('order', 'random', 'simultaneous', 'least_used')",
            name=op.f("ck_hunt_groups_strategy"),
        ),
        _refers("hunt_groups", "customer_id", "customers", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_hunt_groups"),
        sa.UniqueConstraint("customer_id", "number", name="uq_hunt_groups_customer_id_number"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "hunt_group_members",
        sa.Column("group_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("extension_id", ID, nullable=True),
        sa.Column("member_group_id", ID, nullable=True),
        sa.Column("ring_delay_s", sa.Integer(), nullable=False),
        sa.Column("ring_time_s", sa.Integer(), nullable=False),
        sa.Column("stop", sa.Boolean(), nullable=False),
        sa.Column("skip_forwarding", sa.Boolean(), nullable=False),
        sa.Column("logged_in", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "(extension_id IS NULL) <> (member_group_id IS NULL)",
            name=op.f("ck_hunt_group_members_extension_or_group"),
        ),
        sa.CheckConstraint("group_id <> member_group_id", name=op.f("ck_hunt_group_members_not_itself")),
        _refers("hunt_group_members", "extension_id", "extensions", "CASCADE"),
        _refers("hunt_group_members", "group_id", "hunt_groups", "CASCADE"),
        _refers("hunt_group_members", "member_group_id", "hunt_groups", "CASCADE"),
        sa.PrimaryKeyConstraint("group_id", "position", name="pk_hunt_group_members"),
    )
    op.create_index("ix_hunt_group_members_extension_id", "hunt_group_members", ["extension_id"])
    op.create_index("ix_hunt_group_members_member_group_id", "hunt_group_members", ["member_group_id"])
    op.create_table(
        "hunt_group_usage",
        sa.Column("group_id", ID, nullable=False),
        sa.Column("extension_id", ID, nullable=False),
        sa.Column("last_answered_at", MOMENT, nullable=False),
        _refers("hunt_group_usage", "extension_id", "extensions", "CASCADE"),
        _refers("hunt_group_usage", "group_id", "hunt_groups", "CASCADE"),
        sa.PrimaryKeyConstraint("group_id", "extension_id", name="pk_hunt_group_usage"),
    )
    op.create_index("ix_hunt_group_usage_extension_id", "hunt_group_usage", ["extension_id"])
    op.create_table(
        "speed_dials",
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        _refers("speed_dials", "customer_id", "customers", "CASCADE"),
        sa.PrimaryKeyConstraint("customer_id", "number", name="pk_speed_dials"),
    )
    op.create_table(
        "feature_codes",
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        _refers("feature_codes", "customer_id", "customers", "CASCADE"),
        sa.PrimaryKeyConstraint("customer_id", "name", name="pk_feature_codes"),
    )


def _devices() -> None:
    op.create_table(
        "devices",
        sa.Column("id", ID, nullable=False),
        sa.Column("mac", sa.String(length=12), nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("site_id", ID, nullable=True),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("modules", sa.Integer(), nullable=False),
        sa.Column("firmware_seen", sa.Text(), nullable=True),
        sa.Column("agent_seen", sa.Text(), nullable=True),
        sa.Column("contacted_at", MOMENT, nullable=True),
        sa.Column("contacted_from", sa.Text(), nullable=True),
        sa.Column("fetched_at", MOMENT, nullable=True),
        sa.Column("fetched_revision_id", ID, nullable=True),
        sa.Column("service_token_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("service_token_hash", sa.Text(), nullable=False),
        sa.Column("service_token_version", sa.Integer(), nullable=False),
        sa.Column("admin_password_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("admin_password_version", sa.Integer(), nullable=False),
        sa.Column("user_password_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("user_password_version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("length(mac) = 12 AND mac = lower(mac)", name=op.f("ck_devices_mac")),
        _refers("devices", "customer_id", "customers", "CASCADE"),
        _refers("devices", "fetched_revision_id", "revisions", "SET NULL", circular=True),
        _refers("devices", "site_id", "sites", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_devices"),
        sa.UniqueConstraint("mac", name="uq_devices_mac"),
        sa.UniqueConstraint("service_token_hash", name="uq_devices_service_token_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_devices_customer_id", "devices", ["customer_id"])
    op.create_index("ix_devices_fetched_revision_id", "devices", ["fetched_revision_id"])
    op.create_index("ix_devices_site_id", "devices", ["site_id"])
    op.create_table(
        "device_tokens",
        sa.Column("device_id", ID, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("token_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("first_used_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        _refers("device_tokens", "device_id", "devices", "CASCADE"),
        sa.PrimaryKeyConstraint("device_id", "version", name="pk_device_tokens"),
        sa.UniqueConstraint("token_hash", name="uq_device_tokens_token_hash"),
    )
    op.create_table(
        "device_accounts",
        sa.Column("device_id", ID, nullable=False),
        sa.Column("account", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("line_id", ID, nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        _refers("device_accounts", "device_id", "devices", "CASCADE"),
        sa.ForeignKeyConstraint(
            ["line_id"],
            ["lines.id"],
            name="fk_device_accounts_line_id_lines",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("device_id", "account", name="pk_device_accounts"),
    )
    op.create_index("ix_device_accounts_line_id", "device_accounts", ["line_id"])
    op.create_table(
        "device_keys",
        sa.Column("device_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("bank", sa.Text(), nullable=True),
        sa.Column("key", sa.Integer(), nullable=True),
        sa.Column("module", sa.Integer(), nullable=True),
        sa.CheckConstraint("bank IN ('line', 'memory', 'module')", name=op.f("ck_device_keys_bank")),
        _refers("device_keys", "device_id", "devices", "CASCADE"),
        sa.PrimaryKeyConstraint("device_id", "position", name="pk_device_keys"),
    )
    op.create_table(
        "settings",
        sa.Column("id", ID, nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("customer_id", ID, nullable=True),
        sa.Column("site_id", ID, nullable=True),
        sa.Column("device_id", ID, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("value_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(level = 'vendor') = (vendor IS NOT NULL) AND (level = 'model') = (model IS NOT NULL)"
            " AND (level = 'customer') = (customer_id IS NOT NULL)"
            " AND (level = 'site') = (site_id IS NOT NULL)"
            " AND (level = 'device') = (device_id IS NOT NULL)"
            " AND level IN ('vendor', 'model', 'customer', 'site', 'device')",
            name=op.f("ck_settings_subject"),
        ),
        sa.CheckConstraint("kind IN ('option', 'parameter')", name=op.f("ck_settings_kind")),
        sa.CheckConstraint("(value IS NULL) <> (value_sealed IS NULL)", name=op.f("ck_settings_value")),
        _refers("settings", "customer_id", "customers", "CASCADE"),
        _refers("settings", "device_id", "devices", "CASCADE"),
        _refers("settings", "site_id", "sites", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_settings"),
        sa.UniqueConstraint("customer_id", "kind", "name", name="uq_settings_customer_id_kind_name"),
        sa.UniqueConstraint("device_id", "kind", "name", name="uq_settings_device_id_kind_name"),
        sa.UniqueConstraint("model", "kind", "name", name="uq_settings_model_kind_name"),
        sa.UniqueConstraint("site_id", "kind", "name", name="uq_settings_site_id_kind_name"),
        sa.UniqueConstraint("vendor", "kind", "name", name="uq_settings_vendor_kind_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "claims",
        sa.Column("id", ID, nullable=False),
        sa.Column("device_id", ID, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("token_version", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("delivered_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "end_reason IN ('used', 'lapsed', 'raced', 'released', 'superseded')",
            name=op.f("ck_claims_end_reason"),
        ),
        _refers("claims", "device_id", "devices", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_claims"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_claims_device_id", "claims", ["device_id"])


def _history() -> None:
    op.create_table(
        "audit",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("customer_id", ID, nullable=True),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=True),
        _refers("audit", "customer_id", "customers", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_customer_id", "audit", ["customer_id"])
    op.create_table(
        "alarms",
        sa.Column("id", ID, nullable=False),
        sa.Column("device_id", ID, nullable=True),
        sa.Column("customer_id", ID, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("acknowledged_at", MOMENT, nullable=True),
        _refers("alarms", "customer_id", "customers", "CASCADE"),
        _refers("alarms", "device_id", "devices", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_alarms"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alarms_at", "alarms", ["at"])
    op.create_index("ix_alarms_customer_id", "alarms", ["customer_id"])
    op.create_index("ix_alarms_device_id", "alarms", ["device_id"])


def _files() -> None:
    op.create_table(
        "device_files",
        sa.Column("id", ID, nullable=False),
        sa.Column("device_id", ID, nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("customer_id", ID, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("current_revision_id", ID, nullable=True),
        sa.Column("held_revision_id", ID, nullable=True),
        sa.CheckConstraint(
            "(device_id IS NOT NULL AND model IS NULL AND customer_id IS NULL)"
            " OR (device_id IS NULL AND model IS NOT NULL AND customer_id IS NULL)"
            " OR (device_id IS NULL AND model IS NULL AND customer_id IS NOT NULL)",
            name=op.f("ck_device_files_owner"),
        ),
        _refers("device_files", "current_revision_id", "revisions", circular=True),
        _refers("device_files", "customer_id", "customers", "CASCADE"),
        _refers("device_files", "device_id", "devices", "CASCADE"),
        _refers("device_files", "held_revision_id", "revisions", circular=True),
        sa.PrimaryKeyConstraint("id", name="pk_device_files"),
        sa.UniqueConstraint("customer_id", "name", name="uq_device_files_customer_id_name"),
        sa.UniqueConstraint("device_id", "name", name="uq_device_files_device_id_name"),
        sa.UniqueConstraint("model", "name", name="uq_device_files_model_name"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_device_files_current_revision_id", "device_files", ["current_revision_id"])
    op.create_index("ix_device_files_held_revision_id", "device_files", ["held_revision_id"])
    op.create_table(
        "revisions",
        sa.Column("id", ID, nullable=False),
        sa.Column("file_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("audit_id", ID, nullable=True),
        _refers("revisions", "audit_id", "audit", "SET NULL"),
        _refers("revisions", "file_id", "device_files", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_revisions"),
        sa.UniqueConstraint("file_id", "number", name="uq_revisions_file_id_number"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_revisions_audit_id", "revisions", ["audit_id"])
    op.create_table(
        "provisioning_requests",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("device_id", ID, nullable=True),
        sa.Column("mac", sa.String(length=12), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("model_claimed", sa.Text(), nullable=True),
        sa.Column("firmware_claimed", sa.Text(), nullable=True),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=True),
        sa.Column("revision_id", ID, nullable=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sent_bytes", sa.Integer(), nullable=False),
        _refers("provisioning_requests", "device_id", "devices", "SET NULL"),
        _refers("provisioning_requests", "revision_id", "revisions", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_provisioning_requests"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_provisioning_requests_at", "provisioning_requests", ["at"])
    op.create_index("ix_provisioning_requests_device_id_id", "provisioning_requests", ["device_id", "id"])
    op.create_index("ix_provisioning_requests_mac_id", "provisioning_requests", ["mac", "id"])
    op.create_index("ix_provisioning_requests_revision_id", "provisioning_requests", ["revision_id"])


def _calls() -> None:
    op.create_table(
        "call_records",
        sa.Column("id", ID, nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("from_number", sa.Text(), nullable=False),
        sa.Column("to_number", sa.Text(), nullable=False),
        sa.Column("billed_line_id", ID, nullable=True),
        sa.Column("billed_number", sa.Text(), nullable=True),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("sip_code", sa.Integer(), nullable=True),
        sa.Column("cost", MONEY, nullable=True),
        sa.Column("recording_id", ID, nullable=True),
        sa.CheckConstraint(
            "direction IN ('internal', 'incoming', 'outgoing')", name=op.f("ck_call_records_direction")
        ),
        _refers("call_records", "billed_line_id", "lines", "SET NULL"),
        _refers("call_records", "customer_id", "customers"),
        _refers("call_records", "recording_id", "media", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_call_records"),
        sa.UniqueConstraint("uuid", name="uq_call_records_uuid"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_call_records_billed_line_id", "call_records", ["billed_line_id"])
    op.create_index("ix_call_records_customer_id_started_at", "call_records", ["customer_id", "started_at"])
    op.create_index("ix_call_records_recording_id", "call_records", ["recording_id"])
    op.create_table(
        "call_legs",
        sa.Column("call_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Text(), nullable=True),
        sa.Column("extension", sa.Text(), nullable=True),
        sa.Column("hunt_group", sa.Text(), nullable=True),
        sa.Column("ring_started_at", MOMENT, nullable=True),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        _refers("call_legs", "call_id", "call_records", "CASCADE"),
        sa.PrimaryKeyConstraint("call_id", "position", name="pk_call_legs"),
    )


def _billing() -> None:
    op.create_table(
        "rates",
        sa.Column("id", ID, nullable=False),
        sa.Column("plan_id", ID, nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("price_per_minute", MONEY, nullable=False),
        sa.Column("setup", MONEY, nullable=False),
        sa.Column("first_step_s", sa.Integer(), nullable=False),
        sa.Column("next_step_s", sa.Integer(), nullable=False),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.CheckConstraint("first_step_s > 0 AND next_step_s > 0", name=op.f("ck_rates_steps")),
        _refers("rates", "plan_id", "rate_plans", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_rates"),
        sa.UniqueConstraint("plan_id", "prefix", "valid_from", name="uq_rates_plan_id_prefix_valid_from"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "balances",
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        _refers("balances", "customer_id", "customers", "CASCADE"),
        sa.PrimaryKeyConstraint("customer_id", "currency", name="pk_balances"),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("id", ID, nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("amount", MONEY, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("call_id", ID, nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('call', 'payment', 'fee', 'correction')", name=op.f("ck_ledger_entries_kind")
        ),
        _refers("ledger_entries", "call_id", "call_records", "SET NULL"),
        _refers("ledger_entries", "customer_id", "customers"),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_entries"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ledger_entries_call_id", "ledger_entries", ["call_id"])
    op.create_index("ix_ledger_entries_customer_id_at", "ledger_entries", ["customer_id", "at"])


def _signalling() -> None:
    op.create_table(
        "registrations",
        sa.Column("id", ID, nullable=False),
        sa.Column("line_id", ID, nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("cseq", sa.Integer(), nullable=False),
        sa.Column("instance_id", sa.Text(), nullable=False),
        sa.Column("reg_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("transport", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("registered_at", MOMENT, nullable=False),
        sa.Column("refreshed_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.CheckConstraint("transport IN ('udp', 'tcp', 'tls')", name=op.f("ck_registrations_transport")),
        _refers("registrations", "line_id", "lines", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_registrations"),
        sa.UniqueConstraint(
            "line_id",
            "contact",
            "instance_id",
            "reg_id",
            name="uq_registrations_line_id_contact_instance_id_reg_id",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_registrations_expires_at", "registrations", ["expires_at"])
    op.create_table(
        "trunks",
        sa.Column("id", ID, nullable=False),
        sa.Column("customer_id", ID, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=True),
        sa.Column("port", sa.Integer(), nullable=True),
        sa.Column("transport", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=True),
        sa.Column("password_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("max_calls", sa.Integer(), nullable=True),
        sa.CheckConstraint("transport IN ('udp', 'tcp', 'tls')", name=op.f("ck_trunks_transport")),
        _refers("trunks", "customer_id", "customers", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_trunks"),
        sa.UniqueConstraint("customer_id", "name", name="uq_trunks_customer_id_name"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_trunks_operator_name",
        "trunks",
        ["name"],
        unique=True,
        sqlite_where=sa.text("customer_id IS NULL"),
        postgresql_where=sa.text("customer_id IS NULL"),
    )
    op.create_table(
        "trunk_numbers",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("trunk_id", ID, nullable=False),
        _refers("trunk_numbers", "trunk_id", "trunks", "CASCADE"),
        sa.PrimaryKeyConstraint("number", name="pk_trunk_numbers"),
    )
    op.create_index("ix_trunk_numbers_trunk_id", "trunk_numbers", ["trunk_id"])


def _instance() -> None:
    op.create_table(
        "instance",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_instance"),
    )


def _stock() -> None:
    """The products that come with it, and what they have and lack."""
    standard = _insert("products", name="telefonia-ip-standard", title="Telefonia IP standard")
    plus = _insert("products", name="telefonia-ip-plus", title="Telefonia IP plus")
    trunk = _insert("products", name="biznes-trunk", title="Biznes Trunk")
    flags = {
        "centrex": {standard, plus},
        "call_logs": {plus},
        "recording": {plus},
        "group_statistics": {plus},
        "own_exchange": {trunk},
    }
    # One call and one waiting; for the last, channels of somebody's own exchange.
    calls_at_once = {standard: 2, plus: 2, trunk: 30}
    # What a product lacks can't be turned on below it; what it has can be turned off.
    product_features = sa.table(
        "product_features",
        *(sa.column(name) for name in ("product_id", "feature_id", "value", "locked", "reason")),
    )

    def said(product: int, feature: int, value: str, *, locked: bool) -> None:
        reason = "not-in-product" if locked else ""
        op.execute(
            product_features.insert().values(
                product_id=product, feature_id=feature, value=value, locked=locked, reason=reason
            )
        )

    for name, products in flags.items():
        feature = _insert("features", name=name, type="flag", default="0")
        for product in (standard, plus, trunk):
            has = product in products
            said(product, feature, "1" if has else "0", locked=not has)
    feature = _insert("features", name="concurrent_calls", type="number", default="0")
    for product, calls in calls_at_once.items():
        said(product, feature, str(calls), locked=False)


def _insert(table: str, **values: str) -> int:
    """Insert a row and give back its id, which the database chose, so that its sequence knows of it."""
    rows = sa.table(table, sa.column("id"), *(sa.column(name) for name in values))
    number: int = op.get_bind().execute(rows.insert().values(values).returning(rows.c.id)).scalar_one()
    return number


def _refers(
    table: str, column: str, other: str, ondelete: str | None = None, *, circular: bool = False
) -> sa.ForeignKeyConstraint:
    """The foreign key of `column` to the id of `other`; without `ondelete` it holds the other row fast."""
    name = f"fk_{table}_{column}_{other}"
    return sa.ForeignKeyConstraint(
        [column], [f"{other}.id"], name=name, ondelete=ondelete, use_alter=circular
    )
