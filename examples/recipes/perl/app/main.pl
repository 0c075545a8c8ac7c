# Answers every request on port 8000, until SIGTERM.
use strict;
use warnings;
use IO::Socket::INET;

$SIG{TERM} = sub { exit 0 };

my $server = IO::Socket::INET->new(LocalPort => 8000, Listen => 16, ReuseAddr => 1) or die "port 8000: $!";
while (1) {
    my $client = $server->accept or next;
    my $request = <$client>;
    my $body = "Hello from Perl, as $<.\n";
    print $client "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
    close $client;
}
