using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Protocol;

namespace ResearchKit.Kernel.Languages.Python.Values;

/// <summary>Reads and writes the variables of a running Python process.</summary>
internal sealed class PythonValues(PythonKernel kernel)
{
    private static readonly JsonWriterOptions Writing = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 512,
    };
    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = 512 };

    /// <summary>Returns name, type and a short text of each variable.</summary>
    public Task<IReadOnlyList<Variable>> ListAsync(CancellationToken cancellation) => AskAsync(
        "list", _ => { }, (_, answer) => (IReadOnlyList<Variable>)[.. answer.EnumerateArray().Select(row =>
            new Variable(row[0].GetString()!, Type(row[1].GetString()!), row[2].GetString()))], cancellation);

    /// <summary>Returns the value of a variable.</summary>
    public Task<object?> GetAsync(string name, CancellationToken cancellation) => AskAsync(
        "get", request => request.Json.WriteString("name", name), (_, answer) => new ValueReader(kernel.Folder).Read(answer),
        cancellation);

    /// <summary>Sets the value of a variable.</summary>
    public Task SetAsync(string name, object? value, CancellationToken cancellation) => AskAsync(
        "set",
        request =>
        {
            request.Json.WriteString("name", name);
            request.Json.WritePropertyName("value");
            new ValueWriter(request.Json, kernel.Folder, request.Number, name).Write(value);
        },
        (_, _) => true,
        cancellation);

    private static Type Type(string python) => python switch
    {
        "bool" => typeof(bool),
        "int" => typeof(long),
        "float" => typeof(double),
        "str" => typeof(string),
        "complex" => typeof(System.Numerics.Complex),
        "numpy.ndarray" or "torch.Tensor" => typeof(TorchSharp.torch.Tensor),
        _ => typeof(object),
    };

    private async Task<T> AskAsync<T>(
        string what, Action<(Utf8JsonWriter Json, string Number)> write, Func<string, JsonElement, T> read,
        CancellationToken cancellation)
    {
        var number = kernel.Folder.Next();
        try
        {
            using (var file = kernel.Folder.Create($"{number}.request.json"))
            using (var json = new Utf8JsonWriter(file, Writing))
            {
                json.WriteStartObject();
                json.WriteString("ask", what);
                write((json, number));
                json.WriteEndObject();
            }
            await CallAsync(number, cancellation).ConfigureAwait(false);
            using var answer = JsonDocument.Parse(kernel.Folder.Read($"{number}.answer.json")
                ?? throw new IOException($"Python wrote no answer ({number}.answer.json) to the request '{what}'."), Reading);
            if (answer.RootElement.TryGetProperty("answer", out var given)) return read(number, given);
            var message = answer.RootElement.GetProperty("message").GetString();
            throw answer.RootElement.GetProperty("error").GetString() switch
            {
                "KeyError" => new KeyNotFoundException(message),
                "TypeError" => new NotSupportedException(message),
                _ => new ArgumentException(message),
            };
        }
        finally
        {
            kernel.Folder.Remove(number);
        }
    }

    /// <summary>Lets Python process a request between two cells, as a silent execution.</summary>
    private async Task CallAsync(string number, CancellationToken cancellation)
    {
        using var request = kernel.Send("execute_request", new()
        {
            ["code"] = $"__import__('_researchkit').answer('{number}')",
            ["silent"] = true,
            ["store_history"] = false,
            ["user_expressions"] = new JsonObject(),
            ["allow_stdin"] = false,
            ["stop_on_error"] = false,
        });
        using var asked = cancellation.Register(kernel.Interrupt);
        Message reply;
        try
        {
            reply = await request.ReplyAsync().ConfigureAwait(false);
        }
        catch (IOException) when (kernel.Ending is not null)
        {
            throw kernel.Gone("Python ended while a value was shared");
        }
        if (reply.Content.Text("status") == "ok") return;
        cancellation.ThrowIfCancellationRequested();
        throw CellException.Plain("PythonFailed",
            $"Python could not share a value: {reply.Content.Text("ename")}: {reply.Content.Text("evalue")}");
    }
}
