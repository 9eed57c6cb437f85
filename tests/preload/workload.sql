-- SPDX-License-Identifier: BSD-2-Clause
-- A day in the life of a database; ROWS is put in by the test.
pragma cache_size = 4000;
create table person (id integer primary key, name text, town integer, born integer, note text);
create table town (id integer primary key, name text unique, size integer);
begin;
insert into town with recursive n (i) as (select 1 union all select i + 1 from n where i < 500)
  select i, 'town ' || (i * 7919 % 10007), i * 31 % 1000 from n;
insert into person with recursive n (i) as (select 1 union all select i + 1 from n where i < ROWS)
  select i, 'name ' || (i * 104729 % 1000003), i * 17 % 500 + 1, 1900 + i * 13 % 120,
    substr('a note of a length that differs from row to row, more or less', 1, i % 60) from n;
commit;
create index person_name on person (name);
create index person_town on person (town, born);
analyze;
select count(*), sum(length(note)), min(name), max(name) from person;
select t.name, count(*), avg(p.born) from person p join town t on t.id = p.town
  where p.born between 1950 and 1980 group by t.id order by 2 desc, 1 limit 20;
select a.name, b.name from person a join person b on a.name = b.name and a.id < b.id limit 5;
select p.town, group_concat(p.name, ',') from (select * from person order by id limit 2000) p
  group by p.town order by p.town limit 10;
update person set note = note || ' and more', born = born + 1 where id % 7 = 0;
delete from person where id % 11 = 0;
select town, born, rank() over (partition by town order by born, id) from person
  where town < 4 order by id desc limit 20;
create table copy as select * from person order by name desc;
select hex(substr(group_concat(name), 1, 200)) from (select name from copy limit 1000);
with recursive fib (a, b) as (select 0, 1 union all select b, a + b from fib limit 60)
  select max(a) from fib;
select json_group_array(json_object('n', name, 's', size)) from (select * from town limit 50);
drop table copy;
vacuum;
pragma integrity_check;
pragma foreign_key_check;
select count(*), sum(born) from person;
