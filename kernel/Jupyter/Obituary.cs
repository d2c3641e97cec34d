using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Protocol;

namespace ResearchKit.Kernel.Jupyter;

/// <summary>Reports a dead kernel process to its front ends.</summary>
internal static class Obituary
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    // time for the other sockets of a front end to reconnect
    private static readonly TimeSpan Reconnecting = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Listens on the kernel's ports until a front end has reconnected (or a few seconds have passed), then sends
    /// it the error.
    /// </summary>
    public static async Task TellAsync(
        ConnectionFile file, Message request, bool isOpen, string reason, IReadOnlyList<string> lastWords)
    {
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var channels = new Channels(file, (_, _) => { }, _ => heard.TrySetResult(), _ => { });
        channels.Start();
        await Task.WhenAny(heard.Task, Task.Delay(Patience)).ConfigureAwait(false);
        await Task.Delay(Reconnecting).ConfigureAwait(false);
        var message = $"The kernel's process died: {reason}. Its variables are gone.";
        var error = new ErrorOutput("KernelDied", message, [message, .. lastWords]);
        Publish("error", OutputMessages.Error(error));
        if (isOpen)
        {
            var reply = OutputMessages.Error(error);
            reply["status"] = "error";
            reply["execution_count"] = 0;
            channels.Send(Channel.Shell, Message.Create("execute_reply", "supervisor", reply, request) with
            {
                Identities = request.Identities,
            });
        }
        Publish("status", new() { ["execution_state"] = "idle" });

        void Publish(string type, System.Text.Json.Nodes.JsonObject content) =>
            channels.Send(Channel.Iopub, Message.Create(type, "supervisor", content, request) with
            {
                Identities = [System.Text.Encoding.UTF8.GetBytes($"kernel.researchkit.{type}")],
            });
    }
}
