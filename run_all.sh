#!/bin/sh
# From a fresh checkout to rows in PostgreSQL: build, database, migrate, log in, ingest, status.
# Without credentials in .env or the environment: the same with a synthetic year (health demo).
set -eu

usage() {
    cat <<'END'
usage: ./run_all.sh [--force-auth] [--since WHEN] [--until WHEN]

Builds health, brings up the database (a private PostgreSQL, or the one of DATABASE_URL), migrates it, logs in where
.env or the environment holds an application (WHOOP_CLIENT_ID, WHOOP_CLIENT_SECRET, ...), ingests every connected
source and shows the status. Without an application and without a login it runs "health demo" instead.

  --force-auth     consent again, although there is a login
  --since WHEN     first day to load: 2025-09-01, 2025-09, 90d, 6m, 1y
  --until WHEN     last day to load
  --help           this text

The exit code is that of the main job: health help exit-codes
END
}

fail() { # code, what happened, what to do
    printf 'error: %s\nnext:  %s\n' "$2" "$3" >&2
    exit "$1"
}

say() { printf '\n== %s\n' "$1" >&2; }

again='' since='' until=''
while [ $# -gt 0 ]; do
    option=$1
    case $option in
        --since=*) option=--since since=${1#*=} ;;
        --until=*) option=--until until=${1#*=} ;;
        --since | --until)
            [ $# -ge 2 ] || fail 2 "$1 needs a date" './run_all.sh --help'
            if [ "$1" = --since ]; then since=$2; else until=$2; fi
            shift
            ;;
    esac
    case $option in
        --force-auth) again=--again ;;
        --since) [ -n "$since" ] || fail 2 '--since needs a date' './run_all.sh --help' ;;
        --until) [ -n "$until" ] || fail 2 '--until needs a date' './run_all.sh --help' ;;
        -h | --help) usage && exit 0 ;;
        *) fail 2 "there is no option $option" './run_all.sh --help' ;;
    esac
    shift
done

unset CDPATH
cd -- "$(dirname -- "$0")" # .env is read from here

say 'build'
command -v cargo >/dev/null || fail 11 'cargo is not on the PATH' 'install a Rust toolchain: https://rustup.rs'
cargo build --release --locked
target=$(cargo metadata --format-version 1 --no-deps --locked | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
health=$target/release/health
[ -x "$health" ] || health=target/release/health

# Sources with an application of the person's own: names known to health, values from the environment or .env.
configured() {
    "$health" help env | sed -n 's/^ *\([A-Z_]*\)_CLIENT_ID .*/\1/p' | while read -r id; do
        eval "value=\${${id}_CLIENT_ID:-}"
        if [ -n "$value" ] || grep -qs "^ *\(export  *\)\{0,1\}${id}_CLIENT_ID *= *['\"]\{0,1\}[[:alnum:]]" .env; then
            printf '%s\n' "$id" | tr '[:upper:]_' '[:lower:]-'
        fi
    done
}

# Sources with a login in the token store; health auth exits 4 when one of them needs a person.
connected() {
    { "$health" auth --json || true; } | tr ',{}' '[\n*]' | sed -n 's/^"source":"\([a-z_]*\)"$/\1/p' | tr _ - | sort -u
}

say 'database'
"$health" db start
"$health" migrate

code=0
apps=$(configured)
for source in $apps; do
    say "login: $source"
    "$health" auth "$source" ${again:+"$again"} || code=$?
done

sources=$(connected)
if [ -z "$sources$apps" ]; then
    say 'no application in .env and no login: a synthetic year instead (.env.example shows what to fill in)'
    exec "$health" demo
fi

for source in $sources; do
    say "ingest: $source"
    "$health" ingest "$source" ${since:+--since "$since"} ${until:+--until "$until"} || code=$?
done

say 'status'
"$health" status || [ "$code" -ne 0 ] || code=$?

# shellcheck disable=SC2016 # to be expanded by whoever pastes it
printf '\nOpen the database:  psql "$(%s db url)"\n' "$health"
exit "$code"
