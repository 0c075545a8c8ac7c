//! Database servers and directories: what they initialise is state.

use bstr::ByteSlice as _;

use crate::commands::accounts::nss;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(crate) const NATIVES: &[Native] = &[
    Native {
        name: "pg_createcluster",
        origin: Origin::Package,
        run: pg_createcluster,
    },
    engine("initdb", database),
    engine("mariadb-install-db", database),
    engine("mysql_install_db", database),
    engine("mariadbd", database),
    engine("mysqld", database),
    engine("mariadb", client),
    engine("mysql", client),
    engine("mariadb-admin", client),
    engine("mysqladmin", client),
    engine("mariadb-upgrade", client),
    engine("psql", client),
    engine("redis-cli", client),
    engine("mongo", client),
    engine("slapadd", directory),
    engine("slapd", directory),
    engine("slapindex", directory),
    engine("ldapadd", client),
    engine("ldapmodify", client),
    engine("rabbitmqctl", client),
];

const fn engine(name: &'static str, run: fn(&mut Process<'_, '_>) -> Outcome) -> Native {
    Native {
        name,
        origin: Origin::Package,
        run,
    }
}

fn database(process: &mut Process<'_, '_>) -> Outcome {
    process
        .machine
        .decline("the files of a database are made by the machine that runs it");
    process.stdin();
    Ok(Status::OK)
}

fn directory(process: &mut Process<'_, '_>) -> Outcome {
    process
        .machine
        .decline("the files of a directory are made by the machine that runs it");
    process.stdin();
    Ok(Status::OK)
}

/// Nothing listens that it could talk to.
fn client(process: &mut Process<'_, '_>) -> Outcome {
    process.complain("can't connect to a server");
    Ok(Status(1))
}

/// The cluster's own folders are state; the folder of the version above its settings is
/// made, for the owner that it has.
fn pg_createcluster(process: &mut Process<'_, '_>) -> Outcome {
    let version = process.args.iter().skip(1).find(|arg| {
        arg.first().is_some_and(u8::is_ascii_digit)
            && arg.iter().all(|b| b.is_ascii_digit() || *b == b'.')
    });
    let Some(version) = version.cloned() else {
        return Err(Stop::unsupported("pg_createcluster needs a version"));
    };
    let user = nss::user_named(process.machine, b"postgres")?;
    let folder = format!("/etc/postgresql/{}", version.as_bstr());
    let files = &mut process.machine.files;
    let made = files
        .mkdir_all(folder.as_bytes(), 0o755)
        .and_then(|()| match user {
            Some(user) => files.chown(folder.as_bytes(), Some(user.uid), Some(user.gid), true),
            None => Ok(()),
        });
    made.map_err(|error| Stop::unsupported(format!("{folder}: {error}")))?;
    process
        .machine
        .decline("the files of a database are made by the machine that runs it");
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn no_state_is_made() {
        let mut m = machine();
        m.put("/usr/bin/pg_createcluster", "#!/usr/bin/perl -wT\n", 0o755);
        m.put("/usr/sbin/mariadbd", "\u{7f}ELF", 0o755);
        m.put(
            "/etc/passwd",
            "postgres:x:101:102::/var/lib/postgresql:/bin/bash\n",
            0o644,
        );
        assert_eq!(m.run(&["pg_createcluster", "17", "main"]).status, 0);
        let stat = m.files.stat(b"/etc/postgresql/17", true).unwrap();
        assert_eq!((stat.mode, stat.uid, stat.gid), (0o755, 101, 102));
        let ran = m
            .run_with(&["mariadbd", "--bootstrap"], "create database x;\n")
            .unwrap();
        assert_eq!(ran.status, 0);
        assert_eq!(m.declined().len(), 2);
    }
}
