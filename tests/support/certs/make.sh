#!/bin/sh
# Makes the throwaway certificates beside this file anew. Their keys protect nothing.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: > "$work/index"
echo 01 > "$work/serial"
cat > "$work/ca.cnf" <<CNF
[ca]
default_ca = d
[d]
database = $work/index
serial = $work/serial
new_certs_dir = $work
default_md = sha256
policy = p
unique_subject = no
[p]
commonName = supplied
[req]
distinguished_name = dn
[dn]
[ca_ext]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = \${ENV::SAN}
CNF
export SAN=DNS:unused
key() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt; }
sign() { # name, subject, first day, last day, further arguments
    name=$1 subject=$2 start=$3 end=$4
    shift 4
    openssl req -new -config "$work/ca.cnf" -key "$work/$name.key" -subj "/CN=$subject" \
        -out "$work/$name.csr"
    openssl ca -batch -notext -config "$work/ca.cnf" -keyfile "$work/ca.key" \
        -in "$work/$name.csr" -out "$work/$name.crt" \
        -startdate "${start}000000Z" -enddate "${end}000000Z" "$@" 2> "$work/log" ||
        { cat "$work/log"; exit 1; }
}
leaf() { # name, subjectAltName, first day, last day
    key > "$work/$1.key"
    SAN=$2 sign "$1" "$1" "$3" "$4" -extensions leaf -cert "$work/ca.crt"
    cat "$work/$1.key" "$work/$1.crt" > "$1.pem"
}
key > "$work/ca.key"
sign ca "pop-stream test CA" 20200101 21200101 -selfsign -extensions ca_ext
cp "$work/ca.crt" ca.pem
leaf server DNS:localhost,IP:127.0.0.1 20200101 21200101
leaf other-name DNS:gstv.example 20200101 21200101
leaf expired DNS:localhost,IP:127.0.0.1 20200101 20200201
