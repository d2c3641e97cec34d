using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Languages.Markup;

/// <summary>JavaScript cells, which run in the page that shows the notebook.</summary>
public sealed partial class JavaScriptLanguage : ILanguage, IVariables
{
    /// <summary>The name after <c>#!</c>.</summary>
    public const string Id = "javascript";

    private static readonly JsonSerializerOptions Options = new()
    {
        Encoder = JavaScriptEncoder.Default,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };
    private readonly Dictionary<string, Variable> shared = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public string Name => Id;

    /// <inheritdoc/>
    public IReadOnlyList<string> Aliases => ["js"];

    /// <inheritdoc/>
    public Task<CellValue> RunAsync(string code, CellContext context) =>
        ShownText.Show(code, context, text => new() { ["text/html"] = ScriptHtml.Of(text) });

    /// <summary>
    /// The variables that were shared with the page. Variables that scripts declare are not listed, since they
    /// exist only in the page.
    /// </summary>
    public IReadOnlyList<Variable> Variables => [.. shared.Values.OrderBy(variable => variable.Name, StringComparer.Ordinal)];

    /// <summary>Converts a value to JSON and declares it as a global variable of the page.</summary>
    /// <exception cref="ArgumentException">
    /// The name is not a valid identifier, or the value cannot be converted to JSON.
    /// </exception>
    public Task SetAsync(string name, object? value, CancellationToken cancellation)
    {
        if (!Identifier().IsMatch(name))
            throw new ArgumentException($"'{name}' is not a valid JavaScript name; expected letters, digits, _ and $.");
        var script = $"<script type=\"text/javascript\">globalThis[\"{name}\"] = {Json(name, value)};</script>";
        CellScope.Current?.Outputs?.Show(Formatted.Raw(script, "text/html"), Guid.NewGuid().ToString("N"));
        shared[name] = new Variable(name, value?.GetType() ?? typeof(object), value);
        return Task.CompletedTask;
    }

    private static string Json(string name, object? value)
    {
        try
        {
            return JsonSerializer.Serialize(value, Options);
        }
        catch (Exception refused) when (refused is NotSupportedException or JsonException or InvalidOperationException)
        {
            throw new ArgumentException($"{name}, a {value?.GetType()}, cannot be JSON for JavaScript: {refused.Message}",
                refused);
        }
    }

    [GeneratedRegex(@"^[A-Za-z_$][\w$]*$")]
    private static partial Regex Identifier();
}
