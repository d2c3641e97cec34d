using System.Text.Json.Nodes;

namespace ResearchKit.Tests.Kernel.Jupyter;

/// <summary>The kernel under Jupyter's own programs, where they are installed.</summary>
[Collection(OtherPrograms.Name)]
public sealed class FrontEndTests : IDisposable
{
    private readonly JupyterFolder folder = new();

    public void Dispose() => folder.Dispose();

    [SkippableFact]
    public async Task Nbconvert_executes_a_notebook_with_the_installed_kernel()
    {
        await folder.InstallAsync("nbclient", "nbconvert");
        folder.File("study.ipynb", TestNotebook.Of(
            TestNotebook.Code("using TorchSharp;\nvar a = torch.arange(6).reshape(2, 3);\na"),
            TestNotebook.Code("Console.WriteLine(a.sum().item<long>());"),
            TestNotebook.Code("await Task.Delay(1);\ndisplay(HTML(\"<b>bold</b>\"));")));
        await folder.RunAsync("-m", "nbconvert", "--to", "notebook", "--execute", "--ExecutePreprocessor.kernel_name=test-kernel",
            "--output", "done.ipynb", folder.PathTo("study.ipynb"));
        var cells = JsonNode.Parse(File.ReadAllText(folder.PathTo("done.ipynb")))!["cells"]!.AsArray();
        var tensor = cells[0]!["outputs"]![0]!["data"]!;
        Assert.Contains("int64", string.Concat(tensor["text/plain"]!.AsArray().Select(line => (string?)line)),
            StringComparison.Ordinal);
        Assert.NotNull(tensor["text/html"]);
        Assert.Equal("15\n", (string?)cells[1]!["outputs"]![0]!["text"]![0]);
        Assert.Equal("<b>bold</b>", (string?)cells[2]!["outputs"]![0]!["data"]!["text/html"]![0]);
    }

    [SkippableFact]
    public async Task Jupyter_lists_starts_interrupts_and_restarts_the_kernel()
    {
        await folder.InstallAsync("jupyter_client");
        Assert.Contains("test-kernel", await folder.RunAsync("-m", "jupyter_client.kernelspecapp", "list"),
            StringComparison.Ordinal);
        var told = await folder.RunAsync("-c", """
            import queue, time
            from jupyter_client.manager import KernelManager
            manager = KernelManager(kernel_name='test-kernel')
            manager.start_kernel()
            client = manager.client()
            client.start_channels()
            client.wait_for_ready(timeout=60)
            request = client.execute('var x = 1; Console.Write("in"); while (true) { }')
            while client.get_iopub_msg(timeout=60)['msg_type'] != 'stream':
                pass
            manager.interrupt_kernel()
            while (reply := client.get_shell_msg(timeout=10))['parent_header']['msg_id'] != request:
                pass
            print(reply['content']['ename'])
            print(client.execute_interactive('x', timeout=30, output_hook=lambda message: None)['content']['status'])
            manager.restart_kernel(now=False)
            client.wait_for_ready(timeout=60)
            print(client.execute_interactive('x', timeout=30, output_hook=lambda message: None)['content']['ename'])
            manager.shutdown_kernel()
            print(manager.is_alive())
            """);
        Assert.Equal("KeyboardInterrupt\nok\nCompilationError\nFalse\n", told);
    }

    [SkippableFact]
    public async Task If_the_kernel_process_dies_the_front_end_gets_the_reason_and_can_restart_it()
    {
        await folder.InstallAsync("jupyter_client");
        var told = await folder.RunAsync("-c", """
            import time
            from jupyter_client.manager import KernelManager
            manager = KernelManager(kernel_name='test-kernel')
            manager.start_kernel()
            client = manager.client()
            client.start_channels()
            for code in ['Environment.FailFast("enough");', 'System.Diagnostics.Process.GetCurrentProcess().Kill();',
                         'Environment.Exit(3);', 'Environment.Exit(0);',
                         'unsafe { System.Runtime.InteropServices.NativeMemory.Free((void*)12345); }']:
                client.wait_for_ready(timeout=60)
                heard = []
                reply = client.execute_interactive(code, timeout=60, output_hook=lambda message: heard.append(message))['content']
                errors = [message['content'] for message in heard if message['msg_type'] == 'error']
                print(reply['ename'], len(errors), errors[0]['evalue'], 'enough' in ''.join(errors[0]['traceback']))
                while manager.is_alive():
                    time.sleep(0.1)
                manager.restart_kernel()
            client.wait_for_ready(timeout=60)
            print(client.execute_interactive('1 + 1', timeout=60, output_hook=lambda message: None)['content']['status'])
            manager.shutdown_kernel()
            """);
        var lines = told.Split('\n');
        Assert.Matches("^KernelDied 1 .*signal 6.* True$", lines[0]);
        Assert.Matches("^KernelDied 1 .*signal 9.*memory runs out.* False$", lines[1]);
        Assert.Matches("^KernelDied 1 .*exited with code 3.* False$", lines[2]);
        Assert.Matches("^KernelDied 1 .*exited with code 0.* False$", lines[3]);
        Assert.Matches("^KernelDied 1 .*signal (6|11)", lines[4]);
        Assert.Equal("ok", lines[5]);
    }
}
