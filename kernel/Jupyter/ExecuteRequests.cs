using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Notebooks;
using ResearchKit.Kernel.Protocol;
using ResearchKit.Kernel.Sessions;

namespace ResearchKit.Kernel.Jupyter;

/// <summary>Executes the cells that front ends send.</summary>
internal sealed class ExecuteRequests(
    Session session, History history, Questions questions, Action<Message, string, JsonObject> publish)
{
    private readonly Lock gate = new();
    private CancellationTokenSource? running;
    private int count;

    /// <summary>Runs an <c>execute_request</c> and returns the content of the reply.</summary>
    public async Task<JsonObject> RunAsync(Message request)
    {
        var silent = request.Content.Flag("silent", false);
        var stored = request.Content.Flag("store_history", !silent) && !silent;
        var code = request.Content.Text("code") ?? "";
        using var interrupt = new CancellationTokenSource();
        lock (gate) running = interrupt;
        if (stored) count++;
        if (stored) history.Add(count, code);
        if (!silent) publish(request, "execute_input", new() { ["code"] = code, ["execution_count"] = count });
        try
        {
            session.Input = request.Content.Flag("allow_stdin", false)
                ? (prompt, secret) => questions.Ask(request, prompt, secret, interrupt.Token) : null;
            var outcome = await session.ExecuteAsync(code, CellLanguage.Of(request.Metadata), count, Report, interrupt.Token)
                .ConfigureAwait(false);
            if (outcome is { Status: not CellStatus.Succeeded, Error: { } error })
            {
                var reply = With("error", OutputMessages.Error(error));
                reply["execution_count"] = count;
                return reply;
            }
            return new JsonObject
            {
                ["status"] = "ok",
                ["execution_count"] = count,
                ["payload"] = new JsonArray(),
                ["user_expressions"] = await EvaluateAsync(request, interrupt.Token).ConfigureAwait(false),
            };
        }
        finally
        {
            lock (gate) running = null;
        }

        void Report(Output output)
        {
            if (silent && output is ResultOutput) return;
            var (type, content) = OutputMessages.Of(output);
            publish(request, type, content);
        }
    }

    /// <summary>Interrupts the running cell; returns whether one was running.</summary>
    public bool Interrupt()
    {
        lock (gate)
        {
            running?.CancelAsync();
            return running is not null;
        }
    }

    private async Task<JsonObject> EvaluateAsync(Message request, CancellationToken cancellation)
    {
        var values = new JsonObject();
        foreach (var (name, expression) in request.Content["user_expressions"] as JsonObject ?? [])
        {
            if (expression is not JsonValue text || !text.TryGetValue<string>(out var code)) continue;
            ResultOutput? result = null;
            var outcome = await session.ExecuteAsync(
                code, count, output => result = output as ResultOutput ?? result, cancellation).ConfigureAwait(false);
            values[name] = outcome.Error is { } error
                ? With("error", OutputMessages.Error(error))
                : With("ok", result is null ? Nothing() : OutputMessages.Of(result).Content);
        }
        return values;
    }

    private static JsonObject Nothing() => new() { ["data"] = new JsonObject(), ["metadata"] = new JsonObject() };

    private static JsonObject With(string status, JsonObject content)
    {
        content.Remove("execution_count");
        content.Insert(0, "status", status);
        return content;
    }
}
