# What with_perl of tests/clients/work.py runs. usage: imapclient.pl PORT USER PASSWORD
use strict;
use warnings;
use Mail::IMAPClient;

my ($port, $user, $password) = @ARGV;
my $imap = Mail::IMAPClient->new(Server => '127.0.0.1', Port => $port, User => $user, Password => $password, Uid => 1,
                                 Ssl => [SSL_verify_mode => 0]) or die "log-in: $@";

sub check {
    my ($what, $true) = @_;
    die "$what: ", $imap->LastError // '', "\n" unless $true;
}

my %there = map { $_ => 1 } $imap->folders;
check('folders', $there{INBOX} && $there{Archive} && $there{Sent});
check('status', $imap->message_count('INBOX') == 4);
check('select', $imap->select('INBOX'));
my %uid = map { $_ => ($imap->search('SUBJECT', $imap->Quote($_)))[0] } qw(one two three four);
check('search', 4 == grep { defined } values %uid);
check('header', $imap->get_header($uid{one}, 'From') eq 'sender@client.example');
check('body', $imap->body_string($uid{one}) eq "Body of one\r\n");
check('size', length $imap->message_string($uid{one}) == $imap->size($uid{one}));
check('structure', $imap->get_bodystructure($uid{one})->bodytype eq 'TEXT');
check('seen', $imap->see($uid{one}) && grep { $_ eq '\\Seen' } $imap->flags($uid{one}));
check('flag', $imap->set_flag('\\Flagged', $uid{two}));
check('flagged', join(',', $imap->search('FLAGGED')) eq $uid{two});
check('move', $imap->move('Archive', $uid{three}));
check('delete', $imap->delete_message($uid{four}));
check('expunge', $imap->expunge);
check('left', join(',', $imap->messages) eq join(',', sort { $a <=> $b } @uid{qw(one two)}));
my $sent = $imap->append_string('Sent', "From: $user\r\nSubject: sent by perl\r\n\r\nHello.\r\n", '\\Seen');
check('append', $sent && $imap->select('Sent') && $imap->search('UID', $sent));
check('create', $imap->create('made') && $imap->rename('made', 'renamed') && $imap->delete('renamed'));
check('idle', $imap->idle && $imap->done);
check('log-out', $imap->logout);
