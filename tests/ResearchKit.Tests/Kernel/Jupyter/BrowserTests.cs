using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Playwright;

namespace ResearchKit.Tests.Kernel.Jupyter;

/// <summary>The kernel in Jupyter Notebook, in a browser, where both are installed.</summary>
public sealed class BrowserTests : IDisposable
{
    private const string Browser = "/usr/bin/chromium";
    private const string Token = "a-token-for-a-test";
    private const float Patience = 60_000;   // milliseconds
    private readonly JupyterFolder folder = new();

    public void Dispose() => folder.Dispose();

    [SkippableFact]
    public async Task A_notebook_run_in_the_browser_shows_its_figures()
    {
        Skip.IfNot(File.Exists(Browser), $"There is no {Browser}, which this test drives.");
        await folder.InstallAsync("notebook");
        folder.File("study.ipynb", TestNotebook.Of(JupyterFolder.KernelName,
            TestNotebook.Code("using ResearchKit.Interpretability;\nusing ResearchKit.Models;\nusing "
                + "ResearchKit.Training;\nusing TorchSharp;\ntorch.arange(600).reshape(20, 30)"),
            TestNotebook.Code("new Gpt(GptConfig.Nano).Attention(torch.arange(4).unsqueeze(0), [\"a\", \"b\", \"c\", \"<d>\"])"),
            TestNotebook.Code("StepReport Step(int i) => new(i, 9, 1.0 / i, 1e-3, 1, 1000, TimeSpan.FromSeconds(i), 2.0 / "
                + "i);\nnew TrainingHistory(\"a run\", [.. Enumerable.Range(1, 9).Select(Step)], \"nats\")"),
            TestNotebook.Code("Console.WriteLine(\"plain text\");\nvar shown = display(1);\nshown.Update(HTML(\"<b "
                + "class='mine'>bold</b>\"));")));
        var port = FreePort();
        using var server = folder.Start("-m", "notebook", "--no-browser", "--allow-root", "--ip", "127.0.0.1", "--port",
            $"{port}",
            "--NotebookApp.port_retries=0", $"--NotebookApp.token={Token}", "--NotebookApp.open_browser=False");
        try
        {
            await ListensAsync(server, port);
            using var playwright = await Playwright.CreateAsync();
            await using var browser = await playwright.Chromium.LaunchAsync(new()
            {
                ExecutablePath = Browser,
                Args = ["--no-sandbox", "--disable-background-networking", "--no-first-run"],
            });
            var page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = 1100, Height = 2400 } });
            page.SetDefaultTimeout(Patience);
            await page.GotoAsync($"http://127.0.0.1:{port}/notebooks/study.ipynb?token={Token}");
            await page.Locator("#kernel_indicator_icon.kernel_idle_icon").WaitForAsync();
            await page.ClickAsync("#celllink");
            await page.ClickAsync("#run_all_cells a");
            await page.Locator(".output_area .mine").WaitForAsync();   // of the last cell
            await page.Locator("#kernel_indicator_icon.kernel_idle_icon").WaitForAsync();
            if (Environment.GetEnvironmentVariable("RESEARCHKIT_SCREENSHOTS") is { Length: > 0 } shots)
                await page.ScreenshotAsync(new() { Path = Path.Combine(shots, "notebook.png"), FullPage = true });

            Assert.Equal(0, await page.Locator(".output_error, .output_stderr").CountAsync());
            var cells = page.Locator(".code_cell");
            Assert.Equal(4, await cells.CountAsync());
            await HasPictureAsync(cells.Nth(0), "img, svg, canvas");
            await HasPictureAsync(cells.Nth(1), "img, svg, canvas");
            await HasPictureAsync(cells.Nth(2), "svg");
            var last = cells.Nth(3).Locator(".output_area");
            Assert.Equal("plain text\n", await last.Locator(".output_stdout pre").TextContentAsync());
            Assert.Equal("bold", await last.Locator(".mine").TextContentAsync());
        }
        finally
        {
            server.Kill(entireProcessTree: true);
        }
    }

    private static async Task HasPictureAsync(ILocator cell, string kinds)
    {
        var pictures = await cell.Locator($".output_area :is({kinds})").AllAsync();
        Assert.NotEmpty(pictures);
        foreach (var picture in pictures)
        {
            var box = await picture.BoundingBoxAsync();
            if (box is { Width: >= 40, Height: >= 20 }
                && await picture.EvaluateAsync<bool>("node => node.tagName !== 'IMG' || (node.complete && node.naturalWidth > "
                    + "0)")) return;
        }
        Assert.Fail($"None of {pictures.Count} pictures has a size: {await cell.Locator(".output_area").First.InnerHTMLAsync()}");
    }

    private static async Task ListensAsync(Process server, int port)
    {
        var said = server.StandardError.ReadToEndAsync();
        _ = server.StandardOutput.ReadToEndAsync();
        using var client = new HttpClient();
        for (var attempt = 0; attempt < 300; attempt++, await Task.Delay(200))
        {
            Assert.False(server.HasExited, server.HasExited ? await said : "");
            try
            {
                using var answer = await client.GetAsync(new Uri($"http://127.0.0.1:{port}/api"));
                if (answer.IsSuccessStatusCode) return;
            }
            catch (HttpRequestException)
            {
                continue;   // not yet
            }
        }
        Assert.Fail("The notebook server did not answer.");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
