//! Rows of the catalog about roles, and about who owns and may use what.

use acl::{Acl, Kind};
use pgtypes::SqlValue as Value;

use crate::pg_catalog::fill::{Filler, OWNER, int, text, truth};
use crate::pg_catalog::{CatalogRole, Owned};
use crate::stored_name;

/// What `rolpassword` shows in the place of a password.
const HIDDEN: &str = "********";

impl Filler<'_> {
    /// The roles; the session's own is among them even where it is known of no other.
    pub(crate) fn users(&mut self) {
        let own = CatalogRole {
            name: self.input.user.clone(),
            inherit: true,
            login: true,
            connection_limit: -1,
            ..CatalogRole::default()
        };
        let known = self.input.roles.iter().any(|role| role.name == own.name);
        let roles = self.input.roles.clone().into_iter();
        let own = (!known && !own.name.is_empty()).then_some(own);
        for role in roles.chain(own) {
            let oid = if role.name == "dba" {
                OWNER
            } else {
                self.oid("role", &role.name)
            };
            self.objects.add_role(oid, &role.name);
            self.role(oid, &role);
        }
        for member in self.input.authority.roles.members() {
            let (role, own) = (self.role_oid(&member.role), self.role_oid(&member.member));
            let grantor = self.role_oid(&member.grantor);
            self.push(
                "pg_auth_members",
                &[
                    ("roleid", int(role)),
                    ("member", int(own)),
                    ("grantor", int(grantor)),
                    ("admin_option", truth(member.admin)),
                ],
            );
        }
    }

    fn role(&mut self, oid: u32, role: &CatalogRole) {
        let until = role.valid_until.map_or(Value::Null, Value::Integer);
        let all = role.superuser;
        let common = [
            ("oid", int(oid)),
            ("rolname", text(&role.name)),
            ("rolsuper", truth(all)),
            ("rolinherit", truth(role.inherit)),
            ("rolcreaterole", truth(all)),
            ("rolcreatedb", truth(all || role.create_databases)),
            ("rolcanlogin", truth(role.login)),
            ("rolreplication", truth(all || role.replication)),
            ("rolconnlimit", int(role.connection_limit)),
            ("rolvaliduntil", until.clone()),
            ("rolbypassrls", truth(all)),
            ("rolpassword", text(HIDDEN)),
        ];
        self.push("pg_roles", &common);
        if role.login {
            self.push(
                "pg_user",
                &[
                    ("usename", text(&role.name)),
                    ("usesysid", int(oid)),
                    ("usecreatedb", truth(all || role.create_databases)),
                    ("usesuper", truth(all)),
                    ("userepl", truth(all || role.replication)),
                    ("usebypassrls", truth(all)),
                    ("passwd", text(HIDDEN)),
                    ("valuntil", until),
                ],
            );
        }
    }

    /// The number of a role; dba's for one that is not there.
    pub(crate) fn role_oid(&self, name: &str) -> u32 {
        self.objects.role_number(name).unwrap_or(OWNER)
    }

    /// Who owns an object of the database. Where the database has no owner, all is the session's own.
    pub(crate) fn owner_of(&self, kind: Kind, name: &str) -> String {
        let authority = &self.input.authority;
        if authority.database.is_some() {
            authority.owner(kind, name).to_owned()
        } else if self.input.user.is_empty() {
            "dba".to_owned()
        } else {
            self.input.user.clone()
        }
    }

    /// `relowner` and `relacl` of a table, a view or a sequence.
    pub(crate) fn rights(&self, kind: Kind, name: &str) -> [(&'static str, Value); 2] {
        let temporary = self.place.is_temporary();
        let owner = if temporary {
            self.input.user.clone()
        } else {
            self.owner_of(kind, name)
        };
        let acl = self.input.authority.object(kind, name);
        let acl = acl.and_then(|object| object.acl.as_ref());
        [
            ("relowner", int(self.role_oid(&owner))),
            ("relacl", list(acl.filter(|_| !temporary))),
        ]
    }

    /// `typowner` of an enum or a domain.
    pub(crate) fn type_owner(&self, name: &str) -> (&'static str, Value) {
        let owner = self.owner_of(Kind::Type, name);
        ("typowner", int(self.role_oid(&owner)))
    }

    /// The schemas that users have made.
    pub(crate) fn schemas(&mut self) {
        for name in &self.input.schemas {
            let oid = self.oid("namespace", name);
            self.objects.add_namespace(oid, name);
            self.schema(oid, name);
            let owner = self.owner_of(Kind::Schema, name);
            let database = self.input.database.clone();
            self.push(
                "information_schema.schemata",
                &[
                    ("catalog_name", text(&database)),
                    ("schema_name", text(name)),
                    ("schema_owner", text(&owner)),
                ],
            );
        }
    }

    /// A schema of users in `pg_namespace`.
    pub(crate) fn schema(&mut self, oid: u32, name: &str) {
        let owner = self.role_oid(&self.owner_of(Kind::Schema, name));
        let acl = self.input.authority.object(Kind::Schema, name);
        let acl = acl.and_then(|object| object.acl.clone());
        // What everybody may do with `public` is granted from the beginning.
        let acl = match name {
            stored_name::PUBLIC => {
                let owner = self.owner_of(Kind::Schema, name);
                Some(acl.unwrap_or_else(|| Acl::default_of_public(&owner)))
            }
            _ => acl,
        };
        let acl = list(acl.as_ref());
        self.push(
            "pg_namespace",
            &[
                ("oid", int(oid)),
                ("nspname", text(name)),
                ("nspowner", int(owner)),
                ("nspacl", acl),
            ],
        );
    }

    /// `datdba`, `datacl` and `datconnlimit` of a database.
    pub(crate) fn database_rights(&self, rights: &Owned) -> [(&'static str, Value); 3] {
        let owner = match &rights.owner {
            Some(owner) => owner.clone(),
            None => self.owner_of_open(),
        };
        [
            ("datdba", int(self.role_oid(&owner))),
            ("datacl", list(rights.acl.as_ref())),
            ("datconnlimit", int(rights.connection_limit)),
        ]
    }

    fn owner_of_open(&self) -> String {
        if self.input.user.is_empty() {
            return "dba".to_owned();
        }
        self.input.user.clone()
    }

    /// What was granted on a table or a view, where the user has to do with it.
    pub(crate) fn granted(&mut self, name: &str) {
        let authority = &self.input.authority;
        if authority.database.is_none() {
            return;
        }
        let user = self.input.user.as_str();
        let own = authority.roles.rights_of(user);
        let sees = |role: &str| authority.roles.is_superuser(user) || own.contains(&role);
        let owner = authority.owner(Kind::Table, name).to_owned();
        let database = self.input.database.clone();
        let (schema, shown) = stored_name::split(name);
        let mut rows = Vec::new();
        for item in authority.acl(Kind::Table, name).items() {
            let grantee = item.grantee.role();
            if !sees(&item.grantor) && grantee.is_some_and(|grantee| !sees(grantee)) {
                continue;
            }
            for privilege in item.granted.each() {
                let grantable = item.options.has(privilege) || grantee == Some(&*owner);
                let word = privilege.names().next().unwrap_or_default();
                let yes = |yes| text(if yes { "YES" } else { "NO" });
                rows.push((
                    grantee.is_some(),
                    [
                        ("grantor", text(&item.grantor)),
                        ("grantee", text(grantee.unwrap_or("PUBLIC"))),
                        ("table_catalog", text(&database)),
                        ("table_schema", text(schema)),
                        ("table_name", text(shown)),
                        ("privilege_type", text(word)),
                        ("is_grantable", yes(grantable)),
                        ("with_hierarchy", yes(word == "SELECT")),
                    ],
                ));
            }
        }
        for (of_role, row) in rows {
            self.push("information_schema.table_privileges", &row);
            if of_role {
                self.push("information_schema.role_table_grants", &row);
            }
        }
    }

    /// ALTER DEFAULT PRIVILEGES.
    pub(crate) fn future_rights(&mut self) {
        for (role, kind, acl) in self.input.future.clone() {
            let letter = if kind == Kind::Sequence { "S" } else { "r" };
            let oid = self.oid("default acl", &format!("{role} {letter}"));
            let role = self.role_oid(&role);
            self.push(
                "pg_default_acl",
                &[
                    ("oid", int(oid)),
                    ("defaclrole", int(role)),
                    ("defaclnamespace", int(0)),
                    ("defaclobjtype", text(letter)),
                    ("defaclacl", list(Some(&acl))),
                ],
            );
        }
    }
}

/// A list as a value of `aclitem[]`.
fn list(acl: Option<&Acl>) -> Value {
    let Some(acl) = acl else {
        return Value::Null;
    };
    let items: Vec<String> = acl.items().iter().map(ToString::to_string).collect();
    let items = items.iter().map(|item| Some(item.as_str()));
    text(&pgtypes::array::text_of(items))
}
