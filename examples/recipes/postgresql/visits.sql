create table visit (page text not null, at timestamptz not null default now());
insert into visit (page) values ('index');
