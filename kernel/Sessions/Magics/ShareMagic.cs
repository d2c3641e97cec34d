using System.CommandLine;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Sessions.Magics;

/// <summary><c>#!share</c>: shares a variable of another language with the current one.</summary>
/// <remarks>
/// Languages in this process share the object itself; other languages get a copy of its value.
/// </remarks>
internal static class ShareMagic
{
    public static Command Create(MagicCall call)
    {
        var name = new Argument<string>("name") { Description = "The variable." };
        var from = new Option<string>("--from")
        {
            Description = "The language that has the variable.",
            Required = true
        };
        var renamed = new Option<string>("--as") { Description = "The name in this language; default: the same name." };
        var mime = new Option<string>("--mime-type")
        {
            Description = "Accepted and ignored; a value is always shared unchanged."
        };
        var command = new Command("share", "Shares a variable of another language with this one.") { name, from, renamed, mime };
        command.SetAction(async (parsed, cancellation) =>
        {
            await call.Run.Kit.IfPossible().ConfigureAwait(false);   // the value may be a tensor
            var value = await call.Languages.Variables(parsed.GetRequiredValue(from))
                .GetAsync(parsed.GetRequiredValue(name), cancellation).ConfigureAwait(false);
            await call.Languages.Variables(call.Language)
                .SetAsync(parsed.GetValue(renamed) ?? parsed.GetRequiredValue(name), value, cancellation).ConfigureAwait(false);
        });
        return command;
    }
}
