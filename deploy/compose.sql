-- Run once, by the image of PostgreSQL, when its volume is empty: see compose.yaml.
-- The password is read from its secret, so that it is in no list of processes and in no file of this folder.
\set password `cat /run/secrets/films-password`
CREATE ROLE films LOGIN PASSWORD :'password';
CREATE DATABASE films OWNER films ENCODING 'UTF8' TEMPLATE template0;
\connect films
CREATE EXTENSION vector;
