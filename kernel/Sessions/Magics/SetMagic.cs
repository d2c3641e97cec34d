using System.CommandLine;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Cells.Globals;

namespace ResearchKit.Kernel.Sessions.Magics;

/// <summary>
/// <c>#!set</c>: sets a variable to a text, the user's input, or a variable of another language.
/// </summary>
internal static class SetMagic
{
    public static Command Create(MagicCall call)
    {
        var name = new Option<string>("--name") { Description = "The variable to set.", Required = true };
        var value = new Option<string>("--value")
        {
            Description = "A text, @language:variable, @input:\"question\" or @password:\"question\".",
            Required = true,
        };
        var reference = new Option<bool>("--byref")
        {
            Description = "Accepted and ignored; languages in this process always share the object itself.",
        };
        var mime = new Option<string>("--mime-type")
        {
            Description = "Accepted and ignored; a value is always shared unchanged."
        };
        var command = new Command("set", "Sets a variable of this language.") { name, value, reference, mime };
        command.SetAction(async (parsed, cancellation) =>
        {
            await call.Run.Kit.IfPossible().ConfigureAwait(false);   // the value may be a tensor
            var target = call.Languages.Variables(call.Language);
            var found = await ValueAsync(parsed.GetRequiredValue(value), call, cancellation).ConfigureAwait(false);
            await target.SetAsync(parsed.GetRequiredValue(name), found, cancellation).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task<object?> ValueAsync(string text, MagicCall call, CancellationToken cancellation)
    {
        if (!text.StartsWith('@') || text.IndexOf(':', StringComparison.Ordinal) is not (> 1 and var colon)) return text;
        var (source, rest) = (text[1..colon], text[(colon + 1)..].Trim('"'));
        if (source is "input" or "password") return CellFunctions.Ask(rest, source == "password");
        return await call.Languages.Variables(source).GetAsync(rest, cancellation).ConfigureAwait(false);
    }
}
