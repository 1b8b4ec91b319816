#!/bin/sh
# Makes the keys and the certificate of the compose file's store: infra/compose/secrets/, for its owner alone. Never
# overwrites any. Wants openssl.
#
#   admin     makes the bucket           (service `bucket`)
#   writer    puts, gets, lists          (service `archiver`)
#   reader    gets and lists             (service `replay`)
#
# SeaweedFS knows no right to put without one to delete: its writer could delete. On AWS, MinIO or Ceph give the crawler
# the policy that `archiver bucket init` prints. Versioning, which `bucket init` turns on, keeps what was deleted.
set -eu
umask 077
bucket=${1:-web-archive}
folder=$(cd "$(dirname "$0")" && pwd)/secrets
[ ! -e "$folder" ] || { echo "keys: $folder is there already; move it away to make new keys" >&2; exit 2; }
mkdir "$folder"

letters() { od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }

cd "$folder"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=archiver store CA" \
    -keyout ca.key -out ca.pem 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=store" -keyout store.key -out store.csr 2>/dev/null
printf 'subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\nsubjectAltName=DNS:store,DNS:localhost,IP:127.0.0.1\n' >store.ext
openssl x509 -req -in store.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -extfile store.ext -out store.pem 2>/dev/null
rm ca.key store.csr store.ext ./*.srl  # nobody shall be able to make another

identities=''
for who in admin writer reader; do
    access=$(letters 10) secret=$(letters 20)
    printf 'STORE_ENDPOINT_URL=https://store:8334\nSTORE_BUCKET=%s\nSTORE_ACCESS_KEY=%s\nSTORE_SECRET_KEY=%s\n%s\n' \
        "$bucket" "$access" "$secret" AWS_CA_BUNDLE=/etc/store-ca.pem >$who.env
    case $who in
        admin) actions='"Admin", "Read", "Write", "List", "Tagging"' ;;
        writer) actions="\"Read:$bucket\", \"Write:$bucket\", \"List:$bucket\", \"Tagging:$bucket\"" ;;
        reader) actions="\"Read:$bucket\", \"List:$bucket\"" ;;
    esac
    identities="$identities${identities:+,}
    {\"name\": \"$who\", \"credentials\": [{\"accessKey\": \"$access\", \"secretKey\": \"$secret\"}], \"actions\": [$actions]}"
done
printf '{"identities": [%s\n]}\n' "$identities" >s3.json
chmod 0644 s3.json ca.pem store.pem store.key  # containers run as other users; nobody else may enter the folder
echo "keys: made $folder"
