#!/usr/bin/env bash
# Validates the outputs of `cargo grade` in directories: results.json and gradescope.json against
# their schemas, junit.xml against the xsd. It needs xmllint (Debian: libxml2-utils) and Python's
# jsonschema (python3-jsonschema).
set -euo pipefail
schemas=$(cd "$(dirname "$0")" && pwd)

json() {
    python3 - "$1" "$2" <<'PYTHON'
import json, sys
import jsonschema

schema, instance = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:])
validator = jsonschema.Draft202012Validator(schema)
validator.check_schema(schema)
errors = [error for error in validator.iter_errors(instance)]
for error in errors[:10]:
    print(f"{sys.argv[2]}: {error.json_path}: {error.message[:200]}", file=sys.stderr)
sys.exit(bool(errors))
PYTHON
}

checked=0
for directory; do
    for of in results:results.schema.json gradescope:gradescope.schema.json; do
        if [ -e "$directory/${of%%:*}.json" ]; then
            json "$schemas/${of#*:}" "$directory/${of%%:*}.json"
            checked=$((checked + 1))
        fi
    done
    if [ -e "$directory/junit.xml" ]; then
        xmllint --noout --schema "$schemas/junit.xsd" "$directory/junit.xml"
        checked=$((checked + 1))
    fi
done
[ "$checked" -gt 0 ] || { echo "no results in: $*" >&2; exit 4; }
echo "$checked files are valid"
