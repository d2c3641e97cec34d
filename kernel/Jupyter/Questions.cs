using System.Collections.Concurrent;
using ResearchKit.Kernel.Protocol;

namespace ResearchKit.Kernel.Jupyter;

/// <summary>Requests input from the front end that sent the running cell.</summary>
internal sealed class Questions(Action<Channel, Message> send, string session)
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource<string>> open = new(StringComparer.Ordinal);

    /// <summary>Sends an <c>input_request</c> and waits for the reply.</summary>
    /// <exception cref="OperationCanceledException">The cell was interrupted first.</exception>
    public string Ask(Message request, string prompt, bool secret, CancellationToken cancellation)
    {
        var question = Message.Create("input_request", session, new() { ["prompt"] = prompt, ["password"] = secret }, request)
            with
        { Identities = request.Identities };
        var answer = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        open[question.Id] = answer;
        try
        {
            send(Channel.Stdin, question);
            return answer.Task.WaitAsync(cancellation).GetAwaiter().GetResult();
        }
        finally
        {
            open.TryRemove(question.Id, out _);
        }
    }

    /// <summary>
    /// Receives an <c>input_reply</c>. Some front ends do not name the request it belongs to; it is then assigned
    /// to the open one, if there is only one.
    /// </summary>
    public void Answer(Message reply)
    {
        var asked = reply.ParentHeader.Text("msg_id") is { } id && open.TryGetValue(id, out var exact) ? exact
            : open.Count == 1 ? open.Values.FirstOrDefault() : null;
        asked?.TrySetResult(reply.Content.Text("value") ?? "");
    }
}
