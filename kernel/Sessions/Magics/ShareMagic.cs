using System.CommandLine;

namespace ResearchKit.Kernel.Sessions.Magics;

/// <summary><c>#!share</c>: a variable of one language becomes one of the language that the line stands in.</summary>
/// <remarks>Languages of this process share the object itself; others get a copy of what it is worth.</remarks>
internal static class ShareMagic
{
    public static Command Create(MagicCall call)
    {
        var name = new Argument<string>("name") { Description = "The variable." };
        var from = new Option<string>("--from") { Description = "The language that has it.", Required = true };
        var renamed = new Option<string>("--as") { Description = "What it is called here; the same where not given." };
        var mime = new Option<string>("--mime-type") { Description = "Accepted; a value is always shared as it is." };
        var command = new Command("share", "Takes a variable of another language over.") { name, from, renamed, mime };
        command.SetAction(async (parsed, cancellation) =>
        {
            await call.Run.Kit().ConfigureAwait(false);   // the value may be a tensor
            var value = await call.Languages.Variables(parsed.GetRequiredValue(from))
                .GetAsync(parsed.GetRequiredValue(name), cancellation).ConfigureAwait(false);
            await call.Languages.Variables(call.Language)
                .SetAsync(parsed.GetValue(renamed) ?? parsed.GetRequiredValue(name), value, cancellation).ConfigureAwait(false);
        });
        return command;
    }
}
