using System.Collections.Concurrent;
using System.CommandLine;
using System.CommandLine.Parsing;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Languages.Values;

/// <summary>
/// <c>#!value --name x</c>: stores a text from the cell, a file or a URL as a variable that other languages can
/// share.
/// </summary>
/// <param name="folder">The folder for relative paths.</param>
public sealed class ValueLanguage(string folder) : ILanguage, IVariables
{
    private readonly ConcurrentDictionary<string, object?> values = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public string Name => "value";

    /// <inheritdoc/>
    public IReadOnlyList<Variable> Variables =>
        [.. values.Select(entry => new Variable(entry.Key, entry.Value?.GetType() ?? typeof(object), entry.Value))
            .OrderBy(variable => variable.Name, StringComparer.Ordinal)];

    /// <inheritdoc/>
    public Task SetAsync(string name, object? value, CancellationToken cancellation)
    {
        values[name] = value;
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task<CellValue> RunAsync(string code, CellContext context)
    {
        ArgumentNullException.ThrowIfNull(code);
        ArgumentNullException.ThrowIfNull(context);
        var name = new Option<string>("--name") { Required = true };
        var file = new Option<string>("--from-file");
        var address = new Option<string>("--from-url");
        var mime = new Option<string>("--mime-type");
        var parsing = new ParserConfiguration { ResponseFileTokenReplacer = null };
        var parsed = new RootCommand { name, file, address, mime }
            .Parse([.. CommandLineParser.SplitCommandLine(context.Arguments)], parsing);
        if (parsed.Errors.Count > 0)
            throw CellException.Plain("MagicError",
                $"#!value: {parsed.Errors[0].Message} Expected --name NAME, and --from-file FILE, --from-url ADDRESS or the text "
                + $"itself below.");
        var text = (parsed.GetValue(file), parsed.GetValue(address)) switch
        {
            ({ } path, _) => await FromFileAsync(path, context.Cancellation).ConfigureAwait(false),
            (_, { } url) => await FromAddressAsync(url, context.Cancellation).ConfigureAwait(false),
            _ => code.Trim(),
        };
        values[parsed.GetRequiredValue(name)] = text;
        if (parsed.GetValue(mime) is { } shown)
            CellScope.Current?.Outputs?.Show(Formatted.Raw(text, shown), Guid.NewGuid().ToString("N"));
        return CellValue.None;
    }

    private async Task<string> FromFileAsync(string path, CancellationToken cancellation)
    {
        var full = Path.GetFullPath(path, folder);
        return File.Exists(full) ? await File.ReadAllTextAsync(full, cancellation).ConfigureAwait(false)
            : throw CellException.Plain("FileNotFound", $"#!value: there is no file {full}.");
    }

    private static async Task<string> FromAddressAsync(string url, CancellationToken cancellation)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw CellException.Plain("MagicError", $"#!value: '{url}' is no address; expected http:// or https://.");
        try
        {
            using var client = new HttpClient();
            return await client.GetStringAsync(address, cancellation).ConfigureAwait(false);
        }
        catch (HttpRequestException refused)
        {
            throw CellException.Plain("MagicError", $"#!value: {url} could not be read: {refused.Message}");
        }
    }
}
