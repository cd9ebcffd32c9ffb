//! The statement around a model: from its SELECT to rows of a canonical table that change only where something differs.
//! One of the three places where identifiers are put into SQL; names come from the registry and the catalogue.

use postgres::types::Kind;
use postgres::{GenericClient, Transaction};

use super::{Upserted, mapping_version};
use crate::canonical::{Children, Shape};
use crate::run::Run;
use crate::source::{Model, Source};

/// A model's statement, ready for any range of one account.
pub(super) struct Statement {
    text: String,
    /// The short one, for rows of which nothing is stored yet.
    first: String,
    version: String,
}

/// From which run on, and which keys: both ends inclusive, none for all.
#[derive(Clone, Copy)]
pub(super) struct Range<'a> {
    pub(super) after_run: i64,
    pub(super) keys: Option<(&'a str, &'a str)>,
}

impl Statement {
    /// Asks the server for the model's columns and their types in the target, and wraps the model accordingly.
    pub(super) fn prepare(t: &mut Transaction, source: &Source, model: &Model) -> Result<Self, postgres::Error> {
        let bare = wrapped(include_str!("sql/columns.sql"), source, model);
        let described = t.prepare(&bare)?;
        let said: Vec<String> = described.columns().iter().map(|column| column.name().to_owned()).collect();
        let is_array = |name: &str| {
            let found = described.columns().iter().find(|column| column.name() == name);
            found.is_some_and(|column| matches!(column.type_().kind(), Kind::Array(_)))
        };
        let shape = model.into.shape();
        let mut columns = Vec::new();
        for row in t.query(include_str!("sql/target.sql"), &[&shape.name, &said])? {
            columns.push(Column { name: row.get(0), cast: row.get(1) });
        }
        let gives = |name: &str| said.iter().any(|said| said == name);
        let children = shape.children.filter(|children| gives(children.column));
        let made = Made {
            shape,
            own_hash: gives("raw_hash"),
            children,
            are_rows: children.is_some_and(|children| is_array(children.column)),
        };
        columns.retain(|column: &Column| column.name != "raw_hash");
        let of = |template: &str, compares| full(template, compares, (source, model), &made, &columns);
        Ok(Self {
            text: of(include_str!("sql/upsert.sql"), true),
            first: of(include_str!("sql/first.sql"), false),
            version: mapping_version(source, model),
        })
    }

    /// `is_first`: nothing of the model is stored. Where that is not so after all, the server refuses a key that stands
    /// twice, and nothing is written.
    pub(super) fn run(
        &self,
        t: &mut Transaction,
        run: &Run,
        range: Range,
        is_first: bool,
    ) -> Result<Upserted, postgres::Error> {
        let (low, high) = range.keys.unzip();
        let row = t.query_one(
            if is_first { &self.first } else { &self.text },
            &[
                &run.user_id,
                &run.account_id,
                &range.after_run,
                &low,
                &high,
                &run.run_id,
                &self.version,
                &run.started_at,
            ],
        )?;
        Ok(Upserted { inserted: row.get(0), updated: row.get(1), retired: row.get(2), ..Upserted::default() })
    }
}

/// A column that the model gives, with its type in the target: a `real` must not be compared as a `double precision`.
struct Column {
    name: String,
    cast: String,
}

/// A template over one raw table.
pub(super) fn over_raw(template: &str, source: &Source, table: &str) -> String {
    template.replace("{raw}", &format!("\"{}\".\"{table}\"", source.raw_schema()))
}

pub(super) fn wrapped(template: &str, source: &Source, model: &Model) -> String {
    over_raw(template, source, model.reads).replace("{model}", model.select)
}

/// Retires what `model` made from an earlier version of the record `source_id`; says how many rows.
pub(super) fn withdraw(
    t: &mut Transaction,
    source: &Source,
    model: &Model,
    run: &Run,
    source_id: &str,
) -> Result<i64, postgres::Error> {
    let statement = include_str!("sql/withdraw.sql")
        .replace("{table}", &format!("canonical.\"{}\"", model.into.shape().name))
        .replace("{source}", &literal(source.id))
        .replace("{name_prefix}", &name_prefix(source, model));
    let raw_table = format!("{}.{}", source.raw_schema(), model.reads);
    let rows =
        t.execute(&statement, &[&run.user_id, &run.account_id, &raw_table, &source_id, &run.run_id, &run.started_at])?;
    Ok(i64::try_from(rows).unwrap_or(i64::MAX))
}

/// How `mapping_version` begins in the rows of a model, whatever its revision.
fn name_prefix(source: &Source, model: &Model) -> String {
    literal(&format!("{}.{}/", source.id, model.name))
}

/// The model over all raw rows of one account, as a person may run it.
pub(crate) fn shown(source: &Source, model: &Model, user_id: i64, account_id: i64) -> String {
    wrapped(include_str!("sql/show.sql"), source, model)
        .replace("$1", &user_id.to_string())
        .replace("$2", &account_id.to_string())
}

/// What a model makes beside the columns of its rows.
struct Made {
    shape: Shape,
    /// Its rows are made of several raw rows, and it says their digest itself.
    own_hash: bool,
    children: Option<Children>,
    /// They come as rows of their table and not as jsonb.
    are_rows: bool,
}

/// The statements that write the parts of rows, and, where rows may have been there `before`, replace them; empty for rows
/// without.
fn parts(made: &Made, before: bool) -> String {
    let (Some(children), Some(id)) = (made.children, made.shape.id) else { return String::new() };
    let key = |of: &dyn Fn(&str) -> String| children.key.iter().map(|name| of(name)).collect::<Vec<_>>().join(" and ");
    let each = if made.are_rows { include_str!("sql/child_rows.sql") } else { include_str!("sql/child_objects.sql") };
    let first = include_str!("sql/children_first.sql");
    let (again, new_rows) =
        if before { (include_str!("sql/children.sql"), "(select * from news where is_new)") } else { ("", "made") };
    format!("{}{again}", first.trim_end())
        .replace("{new_rows}", new_rows)
        .replace("{each}", each.trim_end())
        .replace("{same_key}", &key(&|name| format!("p.\"{name}\" = s.\"{name}\"")))
        .replace("{p_key}", &key(&|name| format!("p.\"{name}\" = h.\"{name}\"")))
        .replace("{held_key}", &key(&|name| format!("h.\"{name}\" = s.\"{name}\"")))
        .replace("{child}", &format!("canonical.\"{}\"", children.table))
        .replace("{id_name}", &literal(id))
        .replace("{id}", &format!("\"{id}\""))
}

/// `compares`: with what is stored.
fn full(template: &str, compares: bool, (source, model): (&Source, &Model), made: &Made, columns: &[Column]) -> String {
    let shape = made.shape;
    let quoted = |name: &str| format!("\"{name}\"");
    let list = |of: &dyn Fn(&Column) -> String| columns.iter().map(of).collect::<Vec<_>>().join(", ");
    // raw_source_id and raw_path are lineage: they identify a row and are no reason for a new version of it.
    let values: Vec<&Column> = columns.iter().filter(|column| !is_key(shape, &column.name)).collect();
    let row = |side: &str| values.iter().map(|c| format!("{side}.{}", quoted(&c.name))).collect::<Vec<_>>().join(", ");
    let differs = if values.is_empty() {
        "false".to_owned()
    } else {
        format!("row({}) is distinct from row({})", row("t"), row("m"))
    };
    let on_key = std::iter::once("user_id")
        .chain(shape.key.iter().copied())
        .map(|name| format!("t.{0} = m.{0}", quoted(name)))
        .collect::<Vec<_>>()
        .join(" and ");
    let id = shape.id.map_or(String::new(), |id| {
        format!("meta.row_id({}, $2, m.raw_source_id, {}) as {}, ", literal(source.id), path(columns), quoted(id))
    });
    let id_column = shape.id.map_or(String::new(), |id| format!("{}, ", quoted(id)));
    let entity_id = shape.id.map_or_else(
        || shape.key.iter().map(|name| format!("t.{}::text", quoted(name))).collect::<Vec<_>>().join(" || '|' || "),
        |id| format!("t.{}::text", quoted(id)),
    );
    let set = values.iter().map(|c| format!("{0} = m.{0}", quoted(&c.name))).collect::<Vec<_>>().join(", ");
    let key_of =
        |side: &str| shape.key.iter().map(|name| format!("{side}.{}", quoted(name))).collect::<Vec<_>>().join(", ");
    let defaults = missing_key_columns(shape, columns);
    // Where nothing is stored the server finds two rows of one key sooner, and the other statement follows.
    let one = if compares { OneAKey::of(shape, columns) } else { OneAKey::default() };
    wrapped(&template.replace("{made}", include_str!("sql/made.sql")), source, model)
        .replace("{table}", &format!("canonical.{}", quoted(shape.name)))
        .replace("{entity}", &literal(shape.name))
        .replace("{entity_id}", &entity_id)
        .replace("{parts}", &parts(made, compares))
        .replace(
            "{children}",
            &made.children.map_or(String::new(), |c| format!("m.{} as children, ", quoted(c.column))),
        )
        .replace("{hash}", if made.own_hash { "m.raw_hash" } else { "c.hash" })
        .replace("{ranked}", one.ranked)
        .replace("{place}", &one.place)
        .replace("{foremost}", one.foremost)
        .replace("{yields}", one.yields)
        .replace("{id}", &id)
        .replace("{id_column}", &id_column)
        .replace("{casts}", &list(&|c| format!("m.{0}::{1} as {0}", quoted(&c.name), c.cast)))
        .replace("{columns}", &list(&|c| quoted(&c.name)))
        .replace("{m_columns}", &list(&|c| format!("m.{}", quoted(&c.name))))
        .replace(
            "{defaults}",
            &defaults.iter().map(|name| format!("'' as {}, ", quoted(name))).collect::<Vec<_>>().concat(),
        )
        .replace(
            "{default_columns}",
            &defaults.iter().map(|name| format!("{}, ", quoted(name))).collect::<Vec<_>>().concat(),
        )
        .replace("{differs}", &differs)
        .replace("{on_key}", &on_key)
        .replace("{key}", &shape.key.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", "))
        .replace("{set}", &if set.is_empty() { String::new() } else { format!("{set}, ") })
        .replace("{history}", if shape.history { "true" } else { "false" })
        .replace("{source}", &literal(source.id))
        .replace("{raw_table}", &literal(&format!("{}.{}", source.raw_schema(), model.reads)))
        .replace("{t_key}", &key_of("t"))
        .replace("{m_key}", &key_of("m"))
        .replace("{name_prefix}", &name_prefix(source, model))
}

/// Two records may say the same of one day where a row is not known by its record: the one that is still there counts, and
/// of two such the one whose key comes later, in whatever order they come. Two rows that one record makes stay two, which
/// the table refuses.
#[derive(Default)]
struct OneAKey {
    /// Around those of a statement,
    ranked: &'static str,
    /// the place of each record among those that say the same,
    place: String,
    /// and the first ones, in the order of the key.
    foremost: &'static str,
    /// A row gives way to one that is stored.
    yields: &'static str,
}

impl OneAKey {
    fn of(shape: Shape, columns: &[Column]) -> Self {
        if shape.id.is_some() {
            return Self::default();
        }
        let given = columns.iter().filter(|column| is_key(shape, &column.name));
        let key = given.map(|column| format!("m.\"{}\"", column.name)).collect::<Vec<_>>().join(", ");
        Self {
            ranked: "\n  select * from (",
            place: format!(
                "\n       , rank() over (partition by {key} order by gone.run_id is not null, m.raw_source_id collate \"C\" desc) as place"
            ),
            foremost: "\n  ) one where one.place = 1",
            yields: include_str!("sql/yields.sql").trim_end(),
        }
    }
}

fn is_key(shape: Shape, name: &str) -> bool {
    shape.key.contains(&name)
}

fn path(columns: &[Column]) -> &'static str {
    if columns.iter().any(|column| column.name == "raw_path") { "m.raw_path" } else { "''" }
}

/// Text columns of the key that a model may leave out: `raw_path` of a whole record, `device_key` of no device.
fn missing_key_columns(shape: Shape, columns: &[Column]) -> Vec<&'static str> {
    let given = |name: &str| columns.iter().any(|column| column.name == name);
    ["raw_path", "device_key"]
        .into_iter()
        .filter(|name| !given(name) && (is_key(shape, name) || *name == "raw_path"))
        .collect()
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The keys of the raw rows in a range, in the order in which ranges are cut, with the bytes that their payload takes in
/// the table where that matters.
pub(super) fn keys(
    client: &mut impl GenericClient,
    source: &Source,
    model: &Model,
    run: &Run,
    after_run: i64,
) -> Result<Vec<(String, i32)>, postgres::Error> {
    let size = if model.in_pieces { "coalesce(pg_column_size(r.payload), 0)" } else { "0" };
    let statement = over_raw(include_str!("sql/keys.sql"), source, model.reads).replace("{size}", size);
    let rows = client.query(&statement, &[&run.user_id, &run.account_id, &after_run])?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}
