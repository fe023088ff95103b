# Samples: a user for the connector, whose token is printed, two queues, tickets of three guests, some of them
# resolved, merged or deleted, a custom field that says whose a ticket is, and the scrip that posts edits.
use strict;
use warnings;
use lib '/usr/share/request-tracker5/lib';
use RT;
RT::LoadConfig();
RT::Init();
my $system = RT->SystemUser;

sub must { my ($ok, @rest) = @_; die "RT refused: $rest[-1]\n" unless $ok; return $ok }

must(RT::Scrip->new($system)->Create(
    Description => 'Webhook', Queue => 0, Stage => 'TransactionBatch', Template => 'Blank',
    ScripCondition => 'On Transaction', ScripAction => 'User Defined',
    CustomPrepareCode => 'return 1;', CustomCommitCode => do { local (@ARGV, $/) = 'hook.pl'; <> },
));
must(RT::Queue->new($system)->Create(Name => "Guests' stays", Description => 'What guests ask before and during a stay'));
my $field = RT::CustomField->new($system);
must($field->Create(Name => 'Guest', Type => 'FreeformSingle', LookupType => 'RT::Queue-RT::Ticket'));
must($field->AddToObject(RT::Queue->new($system)));

my $reader = RT::User->new($system);
must($reader->Create(Name => 'connector', EmailAddress => 'connector@rt.example', Privileged => 1));
for my $right (qw(SeeQueue ShowTicket SeeCustomField ManageAuthTokens ModifyTicket DeleteTicket CreateTicket ModifyCustomField)) { # who only reads needs the first three
    must($reader->PrincipalObj->GrantRight(Right => $right, Object => RT->System));
}
my ($ok, $message, $token) = RT::AuthToken->new(RT::CurrentUser->new($reader))->Create(Owner => $reader->Id, Description => 'connector');
must($ok, $message);

my @guests = ('ana@example.test', 'ben@example.test', q(o'hara@example.test));
my @asks = ('Late arrival', 'A cot in the room', 'Two parking places', "The key card doesn't open", 'Invoice with another address', 'Ein Zimmer zum Garten, bitte');
for my $n (1 .. 60) {
    my $ticket = RT::Ticket->new($system);
    must($ticket->Create(
        Queue => $n % 4 ? 'General' : "Guests' stays", Subject => "$asks[$n % @asks] ($n)", Requestor => $guests[$n % 7 == 6 ? 2 : $n % 2],
        Priority => $n % 5 * 10, Status => $n % 3 ? 'new' : 'open', Due => $n % 10 ? undef : '2027-03-0' . ($n % 9 + 1) . ' 12:00:00',
        'CustomField-' . $field->Id => $n % 2 ? 'guest-7' : 'guest-8',
    ));
}
sub ticket { my $t = RT::Ticket->new($system); $t->Load(shift); return $t }
must(ticket(46)->MergeInto(50));
must(ticket(52)->SetStatus('deleted'));
must(ticket(54)->SetStatus('resolved'));
print $token;
